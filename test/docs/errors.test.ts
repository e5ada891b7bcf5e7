import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { startRedis, waitUntil } from "@inode-gateway/testkit";
import { CertificateAuthority } from "../conformance/grpc/certificates.js";
import { Executable } from "../e2e/executable.js";
import { comparable, documentedMessages } from "./message-page.js";
import { rootFolder } from "./repository.js";

const messages = documentedMessages();
const shown = new Set<string>();

/** How long a message may take to come; one of them waits for a connect timeout. */
const messageTimeoutMs = 30_000;

/** A configuration that runs: everything on free ports, messages as a person sees them. */
const base = `
extensions:
  redis_registry: { endpoint: "redis://127.0.0.1:1" }
  memory_registry:
receivers:
  otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" }, http: { endpoint: "127.0.0.1:0" } } }
processors:
  inode_resolver: { registry: redis_registry }
exporters:
  nop:
service:
  extensions: [redis_registry]
  telemetry: { logs: { encoding: console }, metrics: { address: "127.0.0.1:0" } }
  pipelines:
    traces: { receivers: [otlp], processors: [inode_resolver], exporters: [nop] }
`;

const baseSettings = ["--config", `yaml:${base}`];

function set(...settings: readonly string[]): string[] {
  return settings.flatMap((setting) => ["--set", setting]);
}

const reporterSettings = (cgroupRoot: string) =>
  set(
    "reporter.hierarchy=v2",
    `reporter.cgroup_root=${cgroupRoot}`,
    "registry.redis.endpoint=redis://127.0.0.1:1",
    "telemetry.logs.encoding=console",
    "telemetry.metrics.endpoint=127.0.0.1:0",
    "health.endpoint=127.0.0.1:0",
  );

/** An executable ends by itself and has written the whole documented message and nothing else. */
async function endsWith(
  heading: string,
  executable: Executable,
  folders: readonly string[] = [],
): Promise<void> {
  const code = await executable.exited();
  const errors = executable.stderr.split("\n").filter((line) => !/\] INFO: /.test(line));
  assertMessage(heading, errors.join("\n"), `exit code ${code}`, folders);
}

/** An executable writes the documented message as a warning or an error, and runs on. */
async function goesOnWith(
  t: TestContext,
  heading: string,
  executable: Executable,
  wanted = /\] (?:WARN|ERROR): /,
  folders: readonly string[] = [],
): Promise<void> {
  t.after(() => executable.stop());
  const line = () =>
    executable.stderr
      .split("\n")
      .slice(0, -1)
      .find((text) => wanted.test(text));
  let hasEnded = false;
  executable.exited().then(
    () => {
      hasEnded = true;
    },
    () => undefined,
  );
  await waitUntil(() => line() !== undefined || hasEnded, {
    limitMs: messageTimeoutMs,
    description: `"${heading}"`,
  });
  const outcome = hasEnded ? "it ended" : "keeps running";
  assertMessage(heading, line() ?? executable.stderr, outcome, folders);
}

function assertMessage(
  heading: string,
  written: string,
  outcome: string,
  folders: readonly string[] = [],
): void {
  const documented = messages.get(heading);
  assert.ok(documented !== undefined, `docs/errors.md has "${heading}"`);
  shown.add(heading);
  assert.equal(comparable(written, folders), documented.text);
  assert.equal(outcome, documented.outcome);
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "messages-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** `127.0.0.1:port` that something listens on. */
async function occupiedEndpoint(t: TestContext): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const gateway = (...args: readonly string[]) => new Executable("inode-gateway", args);

suite("docs/errors.md: the configuration", { concurrency: 2 }, () => {
  const validate = (...settings: readonly string[]) =>
    gateway("validate", ...baseSettings, ...set(...settings));

  test("a misspelt key", () =>
    endsWith(
      "A key is misspelt",
      validate("receivers.otlp.protocols.grpc.endpont=127.0.0.1:4317"),
    ));

  test("an unknown component", () =>
    endsWith(
      "A component does not exist",
      validate("exporters={otlp_gprc: {}}", "service.pipelines.traces.exporters=[otlp_grpc]"),
    ));

  test("a missing file", () =>
    endsWith("The configuration file is missing", gateway("--config", "gateway.yaml"), [
      rootFolder.slice(0, -1),
    ]));

  test("an unset variable", () =>
    endsWith(
      "An environment variable is not set",
      validate(`extensions.redis_registry.endpoint=$\{env:REDIS_ENDPOINT}`),
    ));

  test("an extension that is not listed", () =>
    endsWith("An extension is not listed", validate("service.extensions=[memory_registry]")));

  test("an extension that is not configured", () =>
    endsWith(
      "An extension is not configured",
      validate("processors.inode_resolver.registry=redis_registy"),
    ));

  test("a component that does not fit its pipeline", () =>
    endsWith(
      "A component does not fit its pipeline",
      validate(
        "processors.attributes={include: {match_type: strict, span_names: [a]}, " +
          "actions: [{key: a, action: delete}]}",
        "service.pipelines.logs={receivers: [otlp], processors: [attributes], exporters: [nop]}",
      ),
    ));

  test("a missing certificate file", (t) => {
    const folder = temporaryFolder(t);
    const setting = `extensions.redis_registry.tls.ca_file=${folder}/ca.pem`;
    return endsWith("A certificate file is missing", validate(setting), [folder]);
  });

  test("a condition with a typing mistake", () =>
    endsWith(
      "A condition has a typing mistake",
      validate(`processors.filter={traces: {span: ['atributes["tenant"] == "a"']}}`),
    ));

  test("no memory limit", () =>
    endsWith("The memory limit is missing", validate("processors.memory_limiter={}")));

  test("a file of passwords with a wrong line", (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, "users"), "alice\n");
    const settings = set(
      `extensions={basicauth: {htpasswd: {file: ${folder}/users}}}`,
      "service.extensions=[basicauth]",
      "service.pipelines.traces.processors=[]",
      "processors={}",
    );
    const heading = "A file of passwords has a wrong line";
    return endsWith(heading, gateway(...baseSettings, ...settings), [folder]);
  });

  test("a missing directory of queues", (t) => {
    const folder = temporaryFolder(t);
    const settings = [
      `extensions.file_storage.directory=${folder}/queues`,
      "service.extensions=[redis_registry, file_storage]",
    ];
    return endsWith("The directory of a queue is missing", validate(...settings), [folder]);
  });

  test("a misspelt option", () =>
    endsWith("An option is misspelt", gateway("--confg", "gateway.yaml")));

  test("a reporter's misspelt keys", () =>
    endsWith(
      "The reporter: a key is misspelt",
      new Executable("inode-reporter", [
        "--config",
        "yaml:{registry: {redis: {endpont: x}}, telemetrie: {}}",
      ]),
    ));
});

suite("docs/errors.md: a reload", () => {
  const reloaded = async (t: TestContext, heading: string, document: string) => {
    const path = join(temporaryFolder(t), "gateway.yaml");
    writeFileSync(path, base);
    const executable = gateway("--config", path);
    t.after(() => executable.end());
    await waitUntil(() => executable.stderr.includes("Everything is ready"), {
      limitMs: messageTimeoutMs,
      description: "readiness",
    });
    writeFileSync(path, document);
    executable.signal("SIGHUP");
    await goesOnWith(t, heading, executable, /\] ERROR: the new configuration /);
  };

  test("finds the configuration wrong", (t) =>
    reloaded(
      t,
      "A reload finds the configuration wrong",
      base.replace("nop:\n", "nop: { timout: 1s }\n"),
    ));

  test("cannot start a component", async (t) => {
    const endpoint = await occupiedEndpoint(t);
    const document = base
      .replace(
        "memory_registry:\n",
        `memory_registry:\n  health_check: { endpoint: "${endpoint}" }\n`,
      )
      .replace("extensions: [redis_registry]", "extensions: [redis_registry, health_check]");
    await reloaded(t, "A reload cannot start a component", document);
  });
});

suite("docs/errors.md: the start", { concurrency: 2 }, () => {
  test("a receiver's port in use", async (t) => {
    const setting = `receivers.otlp.protocols.grpc.endpoint=${await occupiedEndpoint(t)}`;
    await endsWith("A receiver's port is in use", gateway(...baseSettings, ...set(setting)));
  });

  test("the metrics page's port in use", async (t) => {
    const setting = `service.telemetry.metrics.address=${await occupiedEndpoint(t)}`;
    const heading = "The port of the metrics page is in use";
    await endsWith(heading, gateway(...baseSettings, ...set(setting)));
  });

  test("a reporter's port in use", async (t) => {
    const args = [
      ...reporterSettings(temporaryFolder(t)),
      ...set(`health.endpoint=${await occupiedEndpoint(t)}`),
    ];
    await endsWith("The reporter: a port is in use", new Executable("inode-reporter", args));
  });

  test("no cgroup tree", async (t) => {
    const folder = join(temporaryFolder(t), "cgroup");
    const reporter = new Executable("inode-reporter", reporterSettings(folder));
    await endsWith("The reporter: the cgroup tree is not there", reporter, [folder]);
  });
});

suite("docs/errors.md: Redis", { concurrency: 2 }, () => {
  const beside = (endpoint: string, ...settings: readonly string[]) =>
    gateway(...baseSettings, ...set(`extensions.redis_registry.endpoint=${endpoint}`, ...settings));

  test("unreachable at the start; and the gateway recovers", async (t) => {
    await using redis = await startRedis();
    await redis.kill();
    const running = beside(redis.endpoint);
    await goesOnWith(t, "Redis is unreachable", running);
    await redis.restart();
    await waitUntil(() => running.stderr.includes("the registry in Redis is available"), {
      limitMs: messageTimeoutMs,
      description: "the gateway finds Redis",
    });
    assert.equal(await running.stop(), 0);
  });

  test("a wrong password, and none", async (t) => {
    await using redis = await startRedis({ password: "s3cret" });
    const wrong = beside(redis.endpoint, "extensions.redis_registry.password=wr0ng");
    const none = beside(redis.endpoint);
    await goesOnWith(t, "Redis refuses the password", wrong);
    await goesOnWith(t, "Redis asks for a password", none);
    assert.doesNotMatch(wrong.stderr, /wr0ng|s3cret/);
  });

  test("TLS there and not here, and an unknown authority", async (t) => {
    await using redis = await startRedis({ tls: true });
    const plain = beside(`redis://localhost:${redis.port}`);
    const distrustful = beside(redis.endpoint);
    await goesOnWith(t, "Redis speaks TLS and the gateway does not", plain);
    await goesOnWith(t, "Redis has a certificate that nobody here trusts", distrustful);
  });

  test("TLS here and not there", async (t) => {
    await using redis = await startRedis();
    const endpoint = `rediss://127.0.0.1:${redis.port}`;
    const running = beside(endpoint, "extensions.redis_registry.connect_timeout=1500ms");
    await goesOnWith(t, "The gateway speaks TLS and Redis does not", running);
  });

  test("unreachable for a command", () =>
    endsWith(
      "A registry command cannot reach Redis",
      gateway("registry", "list", "--registry", "redis_registry", ...baseSettings),
    ));

  test("unreachable for a reporter", async (t) => {
    const reporter = new Executable("inode-reporter", reporterSettings(temporaryFolder(t)));
    await goesOnWith(t, "The reporter: Redis is unreachable", reporter);
  });
});

suite("docs/errors.md: senders and destinations", { concurrency: 2 }, () => {
  /** A gateway that sends one span to a destination of its own, without a registry. */
  async function exporting(t: TestContext, exporter: object): Promise<Executable> {
    const running = gateway(
      ...baseSettings,
      ...set(
        `exporters=${JSON.stringify({ otlp_grpc: exporter })}`,
        "service.extensions=[]",
        `service.pipelines.traces=${JSON.stringify({ receivers: ["otlp"], processors: [], exporters: ["otlp_grpc"] })}`,
        "processors={}",
      ),
    );
    t.after(() => running.stop());
    const address = await httpAddress(running);
    const span = {
      name: "a",
      traceId: "5b8efff798038103d269b633813fc60c",
      spanId: "eee19b7ec3c1b174",
    };
    const answer = await fetch(`http://${address}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
    });
    assert.equal(answer.status, 200);
    return running;
  }

  /** A gateway as the destination of another one. */
  async function destination(
    t: TestContext,
    tls?: object,
    more: object = {},
  ): Promise<[Executable, string]> {
    const grpc = { endpoint: "localhost:0", ...(tls === undefined ? {} : { tls }), ...more };
    const running = gateway(
      ...baseSettings,
      ...set(
        `receivers.otlp.protocols.grpc=${JSON.stringify(grpc)}`,
        "service.pipelines.traces.processors=[]",
        "service.extensions=[]",
        "processors={}",
      ),
    );
    t.after(() => running.stop());
    await httpAddress(running);
    const [, port] = /"endpoint":"[^"]*:(\d+)","transport":"grpc"/.exec(running.stderr) ?? [];
    return [running, `localhost:${port}`];
  }

  async function httpAddress(running: Executable): Promise<string> {
    await waitUntil(() => running.stderr.includes("Everything is ready"), {
      limitMs: messageTimeoutMs,
      description: "a gateway that is ready",
    });
    const [, address = ""] = /"endpoint":"([^"]+)","transport":"http"/.exec(running.stderr) ?? [];
    return address;
  }

  async function certificateFiles(t: TestContext) {
    const folder = temporaryFolder(t);
    const authority = await CertificateAuthority.create(folder, "authority");
    const { cert, key } = await authority.issue("server", "DNS:localhost");
    const files = { cert_file: join(folder, "cert.pem"), key_file: join(folder, "key.pem") };
    writeFileSync(files.cert_file, cert);
    writeFileSync(files.key_file, key);
    return files;
  }

  test("a destination that nobody listens at, until the batch is given up", async (t) => {
    const retry_on_failure = { initial_interval: "100ms", max_elapsed_time: "1s" };
    const exporter = { endpoint: "127.0.0.1:1", tls: { insecure: true }, retry_on_failure };
    const running = await exporting(t, exporter);
    await goesOnWith(t, "A destination cannot be reached", running);
    const heading = "A destination cannot be reached for too long";
    await goesOnWith(t, heading, running, /\] ERROR: /);
  });

  test("a destination without TLS, which is a sender that speaks TLS there", async (t) => {
    const [backend, endpoint] = await destination(t);
    await goesOnWith(t, "A destination does not speak TLS", await exporting(t, { endpoint }));
    await goesOnWith(t, "A sender speaks TLS and the receiver does not", backend);
  });

  test("a destination with TLS, which is a sender without it there", async (t) => {
    const [backend, endpoint] = await destination(t, await certificateFiles(t));
    const plain = await exporting(t, { endpoint, tls: { insecure: true } });
    await goesOnWith(t, "A destination speaks TLS and the exporter does not", plain);
    await goesOnWith(t, "A sender does not speak TLS", backend);
    const distrustful = await exporting(t, { endpoint });
    await goesOnWith(t, "A destination has a certificate that nobody here trusts", distrustful);
  });

  test("a certificate file that is no longer one", async (t) => {
    const files = await certificateFiles(t);
    const [backend] = await destination(t, { ...files, reload_interval: "100ms" });
    writeFileSync(files.cert_file, "no certificate");
    const heading = "A changed certificate file cannot be used";
    await goesOnWith(t, heading, backend, /\] ERROR: /, [dirname(files.cert_file)]);
  });

  test("one connection more than a receiver takes", async (t) => {
    const [backend, endpoint] = await destination(t, undefined, { max_connections: 1 });
    for (const _ of [1, 2]) {
      const socket = connect(Number(endpoint.split(":")[1]), "localhost");
      t.after(() => socket.destroy());
      await once(socket, "connect");
    }
    await goesOnWith(t, "A connection is closed because of a limit", backend);
  });

  test("a sender that speaks TLS to the port of plain HTTP", async (t) => {
    const [backend] = await destination(t);
    await assert.rejects(fetch(`https://${await httpAddress(backend)}/v1/traces`));
    await goesOnWith(t, "A sender speaks another protocol than the HTTP receiver", backend);
  });
});

suite("docs/errors.md", () => {
  test("has no message that was not seen above", () => {
    assert.deepEqual(
      [...messages.keys()].filter((heading) => !shown.has(heading)),
      [],
    );
  });
});
