import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { waitUntil } from "@inode-gateway/testkit";
import { HttpBackend } from "../conformance/otlp/backends.js";
import { type CallResult, exportPaths, PlainGrpcClient } from "../conformance/otlp/grpc-client.js";
import { type Answer, send } from "../conformance/otlp/http-client.js";
import { Executable } from "./executable.js";
import { spansOf } from "./spans.js";

/** Secrets that a test plants; each is found again as it is, in base64, and as a part of a URL. */
class Canaries {
  readonly #words = new Map<string, string>();

  /** A new secret, such as `canary-token-7f3c`. */
  plant(name: string): string {
    const word = `canary-${name}-${Math.random().toString(36).slice(2, 10)}`;
    this.#words.set(word, name);
    return word;
  }

  /** The names of those that are somewhere in a text. */
  foundIn(text: string): string[] {
    const found = new Set<string>();
    for (const [word, name] of this.#words) {
      const bytes = Buffer.from(word);
      const forms = [word, bytes.toString("hex"), ...base64Parts(bytes)];
      if (forms.some((form) => text.includes(form))) found.add(name);
    }
    return [...found];
  }

  get size(): number {
    return this.#words.size;
  }
}

/** What base64 makes of bytes, whatever stands before them: three alignments, without the borders. */
function base64Parts(bytes: Buffer): string[] {
  return [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .slice(4, -4),
  );
}

const basic = (name: string, password: string) =>
  `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;

/** What stands in a configuration for a variable of the environment. */
const substituted = (name: string) => ["$", "{env:", name, "}"].join("");

/** Everything that may hold a secret has one; what is in the environment is substituted. */
function plantedConfiguration(canaries: Canaries, backend: string, tokenFile: string) {
  const passwords = { ann: canaries.plant("inline-password"), own: canaries.plant("password") };
  const tokens = {
    environment: canaries.plant("environment-token"),
    file: canaries.plant("file-token"),
    listed: canaries.plant("listed-token"),
  };
  writeFileSync(tokenFile, `${tokens.file}\n`);
  const http = (name: string, rest: object) => ({
    endpoint: backend,
    headers: { "x-api-key": canaries.plant(`header-of-${name}`) },
    retry_on_failure: { initial_interval: "50ms", max_elapsed_time: "500ms" },
    timeout: "1s",
    ...rest,
  });
  const protocols = (authenticator: string) => ({
    grpc: { endpoint: "127.0.0.1:0", auth: { authenticator }, include_metadata: true },
    http: { endpoint: "127.0.0.1:0", auth: { authenticator }, include_metadata: true },
  });
  const document = {
    extensions: {
      "bearertokenauth/listed": { tokens: [tokens.listed] },
      "bearertokenauth/environment": { token: substituted("CANARY_TOKEN") },
      "bearertokenauth/file": { filename: tokenFile },
      "basicauth/server": { htpasswd: { inline: `ann:${passwords.ann}` } },
      "basicauth/client": { client_auth: { username: "gateway", password: passwords.own } },
      redis_registry: {
        endpoint: "redis://127.0.0.1:1",
        username: "gateway",
        password: canaries.plant("redis-password"),
      },
      health_check: { endpoint: "127.0.0.1:0" },
    },
    receivers: {
      "otlp/bearer": { protocols: protocols("bearertokenauth/listed") },
      "otlp/basic": { protocols: protocols("basicauth/server") },
    },
    processors: { inode_resolver: { registry: "redis_registry" } },
    exporters: {
      "otlp_http/basic": http("basic", { auth: { authenticator: "basicauth/client" } }),
      "otlp_http/environment": http("environment", {
        auth: { authenticator: "bearertokenauth/environment" },
      }),
      // Nobody listens there.
      "otlp_http/away": http("away", {
        endpoint: "http://127.0.0.1:1",
        auth: { authenticator: "bearertokenauth/file" },
        proxy_url: `http://gateway:${canaries.plant("proxy-password")}@127.0.0.1:1`,
      }),
      "otlp_grpc/away": {
        endpoint: "127.0.0.1:1",
        tls: { insecure: true },
        headers: { "x-api-key": canaries.plant("header-of-grpc") },
        retry_on_failure: { initial_interval: "50ms", max_elapsed_time: "500ms" },
      },
      debug: { verbosity: "basic" },
    },
    service: {
      extensions: [
        ...["bearertokenauth/listed", "bearertokenauth/environment", "bearertokenauth/file"],
        ...["basicauth/server", "basicauth/client", "redis_registry", "health_check"],
      ],
      telemetry: {
        logs: { level: "debug" },
        metrics: {
          readers: [{ pull: { exporter: { prometheus: { host: "127.0.0.1", port: 0 } } } }],
        },
      },
      pipelines: {
        traces: {
          receivers: ["otlp/bearer", "otlp/basic"],
          processors: ["inode_resolver"],
          exporters: [
            ...["otlp_http/basic", "otlp_http/environment", "otlp_http/away"],
            ...["otlp_grpc/away", "debug"],
          ],
        },
      },
    },
  };
  return { document, environment: { CANARY_TOKEN: tokens.environment }, passwords, tokens };
}

/** The addresses that a running gateway logged, by receiver and transport, and those of its pages. */
function addressesOf(gateway: Executable): Map<string, string> {
  const addresses = new Map<string, string>();
  for (const line of gateway.log()) {
    const { endpoint, msg, transport } = line;
    if (msg === "Receiving OTLP") {
      addresses.set(`${line["otelcol.component.id"]} ${transport}`, String(endpoint));
    } else if (endpoint !== undefined) {
      addresses.set(msg, String(endpoint));
    }
  }
  return addresses;
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "canary-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function outputOf(args: readonly string[], environment = {}): Promise<string> {
  const child = new Executable("inode-gateway", args, environment);
  const code = await child.exited();
  return `${code}\n${child.stdout}\n${child.stderr}`;
}

function write(path: string, document: unknown): string {
  writeFileSync(path, JSON.stringify(document));
  return path;
}

const protobuf = { "content-type": "application/x-protobuf" };

suite("no secret is ever shown", () => {
  test("by a gateway that runs, whatever is sent to it and whatever fails", async (t) => {
    const canaries = new Canaries();
    const folder = temporaryFolder(t);
    const backend = await HttpBackend.start(t);
    const tokenFile = join(folder, "token");
    const planted = plantedConfiguration(canaries, backend.url, tokenFile);
    const path = write(join(folder, "gateway.yaml"), planted.document);
    const { environment } = planted;

    const shown = [
      await outputOf(["validate", "--config", path], environment),
      await outputOf(["print-config", "--config", path], environment),
    ];
    assert.match(shown[0] ?? "", /^0\n/, "the configuration is valid");
    assert.match(shown[1] ?? "", /REDACTED/);

    const gateway = new Executable("inode-gateway", ["--config", path], environment);
    t.after(() => gateway.end());
    await gateway.logged(({ msg }) => msg.startsWith("Everything is ready"), "readiness");
    const addresses = addressesOf(gateway);
    const httpAnswers: Answer[] = [];
    const grpcAnswers: CallResult[] = [];
    const body = spansOf("canary", {});
    for (const [receiver, right] of [
      ["otlp/bearer", `Bearer ${planted.tokens.listed}`],
      ["otlp/basic", basic("ann", planted.passwords.ann)],
    ] as const) {
      const http = `http://${addresses.get(`${receiver} http`)}/v1/traces`;
      const client = new PlainGrpcClient(t, addresses.get(`${receiver} grpc`) ?? "");
      for (const authorization of [
        right,
        `Bearer ${canaries.plant("wrong-token")}`,
        basic("ann", canaries.plant("wrong-password")),
        basic(canaries.plant("unknown-user"), canaries.plant("unknown-password")),
        canaries.plant("no-scheme"),
        undefined,
      ]) {
        const shownTo = authorization === undefined ? {} : { authorization };
        const answer = await send(http, body, { headers: { ...protobuf, ...shownTo } });
        const call = await client.call(exportPaths.traces, body, { metadata: shownTo });
        const isRight = authorization === right;
        // One of the exporters cannot be reached; the queues take it all the same.
        assert.equal(answer.status, isRight ? 200 : 401, `${receiver} ${answer.body}`);
        assert.equal(call.code, isRight ? 0 : 16, `${receiver} ${call.message}`);
        httpAnswers.push(answer);
        grpcAnswers.push(call);
      }
      const malformed = await send(http, canaries.plant("payload"), {
        headers: { ...protobuf, authorization: right },
      });
      assert.equal(malformed.status, 400);
      httpAnswers.push(malformed);
    }

    const received = () => backend.requests.map(({ headers }) => String(headers["authorization"]));
    await waitUntil(() => new Set(received()).size >= 2, {
      description: "both exporters have shown who they are",
    });
    assert.deepEqual(
      [...new Set(received())].sort(),
      [basic("gateway", planted.passwords.own), `Bearer ${planted.tokens.environment}`].sort(),
    );
    await gateway.logged(({ level }) => level === "error", "the loss at the backend that is away");
    writeFileSync(tokenFile, `${canaries.plant("broken-file")}\u0007\n`);
    await gateway.logged(({ msg }) => msg.includes("file of credentials"), "the broken file");

    const pages = await Promise.all([
      ...["/metrics", "/"].map((page) => text(addresses.get("serving metrics"), page)),
      ...["/", "/?verbose", "/status?verbose"].map((page) =>
        text(addresses.get("answering health checks"), page),
      ),
    ]);
    assert.equal(await gateway.stop(), 0);
    const emitted = [
      ...shown,
      gateway.stdout,
      gateway.stderr,
      ...pages,
      ...httpAnswers.map(({ headers, body: bytes }) => JSON.stringify(headers) + String(bytes)),
      ...grpcAnswers.map(({ message }) => message),
    ];
    assert.ok(canaries.size > 20, "canaries were planted");
    assert.match(pages[0] ?? "", /inode_gateway_authentications/, "the metrics page was read");
    for (const output of emitted) assert.deepEqual(canaries.foundIn(output), [], output);
  });

  test("by a configuration with a fault beside each secret", async (t) => {
    const folder = temporaryFolder(t);
    for (const [name, breaking] of faults) {
      const canaries = new Canaries();
      const tokenFile = join(folder, "token");
      const planted = plantedConfiguration(canaries, "http://127.0.0.1:1", tokenFile);
      const { document } = planted;
      breaking(document as unknown as Section, canaries);
      const path = write(join(folder, "broken.yaml"), document);
      // To run is to validate first: once will do.
      const commands = name === faults[0]?.[0] ? [["validate"], []] : [["validate"]];
      const outputs = await Promise.all(
        [...commands, ["print-config"]].map((command) =>
          outputOf([...command, "--config", path], planted.environment),
        ),
      );
      assert.doesNotMatch(outputs[0] ?? "", /^0\n/, name);
      for (const output of outputs)
        assert.deepEqual(canaries.foundIn(output), [], `${name}: ${output}`);
    }
  });

  test("the search finds what is shown, also in base64 and in a header of both parts", () => {
    const canaries = new Canaries();
    const word = canaries.plant("token");
    for (const text of [`x${word}x`, basic("u", word), basic("us", word), basic("use", word)]) {
      assert.deepEqual(canaries.foundIn(text), ["token"], text);
    }
    assert.deepEqual(canaries.foundIn("nothing"), []);
  });
});

type Section = { [key: string]: Section };

/** Ways to be wrong, each with a secret where the fault is. */
const faults: readonly (readonly [string, (document: Section, canaries: Canaries) => void])[] = [
  [
    "a token with a line break",
    ({ extensions }, canaries) => {
      set(extensions, "bearertokenauth/listed", { token: `${canaries.plant("broken")}\n` });
    },
  ],
  [
    "a mistyped key that holds a secret",
    ({ extensions }, canaries) => {
      set(extensions, "bearertokenauth/listed", { tokn: canaries.plant("mistyped") });
    },
  ],
  [
    "a secret of another type",
    ({ extensions }, canaries) => {
      set(extensions, "bearertokenauth/listed", { token: { value: canaries.plant("object") } });
      set(extensions, "basicauth/client", { client_auth: [canaries.plant("list")] });
    },
  ],
  [
    "an htpasswd line that is a password alone",
    ({ extensions }, canaries) => {
      set(extensions, "basicauth/server", { htpasswd: { inline: canaries.plant("alone") } });
    },
  ],
  [
    "an htpasswd line with an unknown hash",
    ({ extensions }, canaries) => {
      const inline = `ann:$9$${canaries.plant("hash")}`;
      set(extensions, "basicauth/server", { htpasswd: { inline } });
    },
  ],
  [
    "a header with a control character",
    ({ exporters }, canaries) => {
      const headers = { "x-api-key": `${canaries.plant("header")}\u0001` };
      set(exporters, "otlp_http/basic", { endpoint: "http://127.0.0.1:1", headers });
    },
  ],
  [
    "a private key that is none",
    ({ receivers }, canaries) => {
      const tls = { cert_pem: "no certificate", key_pem: canaries.plant("key") };
      const protocols = { http: { endpoint: "127.0.0.1:0", tls } };
      set(receivers, "otlp/bearer", { protocols });
    },
  ],
];

function set(section: Section | undefined, key: string, value: unknown): void {
  assert.ok(section !== undefined);
  (section as Record<string, unknown>)[key] = value;
}

async function text(address: string | undefined, page: string): Promise<string> {
  const response = await fetch(`http://${address}${page}`);
  return JSON.stringify([...response.headers]) + (await response.text());
}
