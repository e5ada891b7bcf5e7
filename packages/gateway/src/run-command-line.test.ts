import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { builtInFactories } from "@inode-gateway/components";
import { parse } from "yaml";
import { run, writeFile } from "./command-line.rig.js";
import { OutputClosedError } from "./process-environment.js";
import { runCommandLine } from "./run-command-line.js";

const gatewayYaml = `
extensions:
  redis_registry: { endpoint: "redis://127.0.0.1:1", password: "\${env:REDIS_PASSWORD}" }
receivers:
  otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" } } }
processors:
  inode_resolver: { registry: redis_registry }
exporters:
  otlp_grpc:
    endpoint: "localhost:1"
    headers: { authorization: "Bearer \${env:TOKEN}", x-tenant: "0123" }
service:
  extensions: [redis_registry]
  pipelines:
    traces: { receivers: [otlp], processors: [inode_resolver], exporters: [otlp_grpc] }
`;
const environment = { REDIS_PASSWORD: "pass-from-env", TOKEN: "token-from-env" };

suite("commands that need nothing", () => {
  test("--help and --version print to standard output", async () => {
    const help = await run(["--help"]);
    assert.equal(help.code, 0);
    for (const word of ["validate", "print-config", "explain", "registry", "--set", "Exit codes"]) {
      assert.ok(help.stdout.includes(word), word);
    }
    assert.ok(help.stdout.split("\n").every((line) => line.length <= 110));
    const version = await run(["--version"]);
    assert.match(version.stdout, /^inode-gateway version \d+\.\d+\.\d+\n$/);
    assert.equal(help.stderr + version.stderr, "");
  });

  test("components lists every built-in factory, its aliases and signals, as YAML", async () => {
    const { code, stdout } = await run(["components"]);
    assert.equal(code, 0);
    const listed = parse(stdout) as Record<
      string,
      { name: string; aliases?: string[]; stability: Record<string, string> }[]
    >;
    for (const factory of builtInFactories) {
      const entry = listed[`${factory.kind}s`]?.find(({ name }) => name === factory.type);
      assert.deepEqual(entry?.aliases ?? [], factory.aliases ?? [], factory.type);
      const signals = factory.kind === "extension" ? ["extension"] : factory.signals;
      assert.deepEqual(Object.keys(entry?.stability ?? {}), [...signals], factory.type);
    }
    const kinds = ["receivers", "processors", "exporters", "connectors", "extensions"];
    const count = kinds.reduce((sum, kind) => sum + (listed[kind]?.length ?? 0), 0);
    assert.equal(count, builtInFactories.length);
  });

  test("a mistake on the command line is told with the way to help, exit code 2", async () => {
    assert.deepEqual(await run(["vaildate"]), {
      code: 2,
      stdout: "",
      stderr:
        'error: unknown command "vaildate", did you mean "validate"?\nSee inode-gateway --help\n',
    });
  });

  test("without any configuration it says so in the Collector's words, exit code 2", async () => {
    for (const args of [[], ["validate"], ["registry", "nodes"], ["explain", "--inode", "5"]]) {
      const { code, stderr } = await run(args);
      assert.equal(code, 2);
      assert.match(stderr, /^error: at least one config flag must be provided/);
    }
  });

  test("nobody reading the results is no error; not being able to write them is one", async () => {
    const written: string[] = [];
    const withWrite = (error: Error) =>
      runCommandLine({
        args: ["components"],
        environment: {},
        stdout: { write: () => Promise.reject(error) },
        stderr: { isTerminal: false, write: (text) => void written.push(text) },
        stdin: (async function* () {})(),
        onStopSignal: () => undefined,
        onReloadSignal: () => undefined,
        exitNow: () => undefined,
      });
    assert.equal(await withWrite(new OutputClosedError("closed")), 0);
    assert.deepEqual(written, []);
    assert.equal(await withWrite(new Error("standard output cannot be written: no space")), 1);
    assert.deepEqual(written, ["error: standard output cannot be written: no space\n"]);
  });
});

suite("validate", () => {
  test("says that a configuration is valid, and what is doubtful or unused", async (t) => {
    const path = writeFile(t, "gateway.yaml", gatewayYaml);
    assert.deepEqual(await run(["validate", "--config", path], { environment }), {
      code: 0,
      stdout: "the configuration is valid\n",
      stderr: "",
    });
    const doubtful = await run(["validate", "--config", path, "--set", "exporters.debug={}"]);
    assert.equal(doubtful.code, 0);
    assert.match(doubtful.stderr, /^warning: environment variable `TOKEN` is not set/m);
    assert.match(doubtful.stderr, /^note: .*debug/m);
  });

  test("tells every problem at once, each behind its path, exit code 2", async (t) => {
    const path = writeFile(
      t,
      "wrong.yaml",
      `receivers: { otlp: { protocols: { gprc: {} } } }
processors: { inode_resolver: { registry: r, hold: { timout: 1s } } }
exporters: { otlp_gprc: {}, otlp_grpc: {} }
service:
  telemetry: { logs: { level: loud } }
  pipelines: { traces: { receivers: [otlp], exporters: [otlp_grpc, nope] } }
`,
    );
    const { code, stdout, stderr } = await run(["validate", "--config", path]);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /^error: the configuration has \d+ problems\n/);
    assert.match(stderr, /receivers::otlp::protocols.*gprc.*grpc/);
    assert.match(stderr, /processors::inode_resolver::hold.*timout.*timeout/);
    assert.match(stderr, /otlp_gprc/);
    assert.match(stderr, /exporters::otlp_grpc.*endpoint/);
    assert.match(stderr, /"nope"/);
    assert.match(stderr, /service::telemetry::logs::level/);
    const [head = "", ...problems] = stderr.trimEnd().split("\n");
    assert.equal(problems.length, Number(/\d+/.exec(head)?.[0]), "one line a problem");
  });

  test("finds what only making the components shows, each a line behind its path", async (t) => {
    const path = writeFile(
      t,
      "misplaced.yaml",
      `receivers: { otlp: { protocols: { grpc: {} } } }
processors:
  attributes:
    include: { match_type: strict, span_names: [a] }
    actions: [{ key: a, action: delete }]
connectors:
  routing:
    table: [{ context: span, condition: "true", pipelines: [logs/in] }]
    default_pipelines: [logs/none]
exporters: { debug: {}, otlp_http: { traces_endpoint: "http://localhost:4318/v1/traces" } }
service:
  pipelines:
    traces: { receivers: [otlp], processors: [attributes], exporters: [otlp_http] }
    logs: { receivers: [otlp], processors: [attributes], exporters: [otlp_http, routing] }
    logs/in: { receivers: [routing], exporters: [debug] }
`,
    );
    const misplaced = [
      "  exporters::otlp_http: `logs_endpoint` or `endpoint` must be set to export logs (for logs)",
      "  connectors::routing: `table[0].context` is `span`, which logs do not have; they have " +
        "`resource`, `request`, `log` (for logs)",
      "  processors::attributes: `include`: services, span_names, span_kinds and metric_names are " +
        "not valid for log records (in pipeline `logs`)",
    ];
    const stderr = `error: the configuration has 3 problems\n${misplaced.join("\n")}\n`;
    for (const command of [["validate"], ["print-config", "--validate"], ["run"]]) {
      const args = [...command, "--config", path];
      assert.deepEqual(await run(args), { code: 2, stdout: "", stderr });
    }
  });

  test("a missing or unreadable file is named with its reason, exit code 2", async () => {
    const { code, stderr } = await run(["validate", "--config", "/nowhere/gateway.yaml"]);
    assert.equal(code, 2);
    assert.match(stderr, /^error: --config \/nowhere\/gateway\.yaml cannot be read: .*\n$/);
  });
});

suite("print-config", () => {
  test("redacts every secret, substituted ones included, in both formats", async (t) => {
    const path = writeFile(t, "gateway.yaml", gatewayYaml);
    for (const format of ["yaml", "json"] as const) {
      const args = ["print-config", "--config", path, "--format", format];
      const { code, stdout, stderr } = await run(args, { environment });
      assert.equal(code, 0);
      assert.equal(stderr, "");
      assert.doesNotMatch(stdout, /pass-from-env|token-from-env|Bearer|0123/);
      const printed = (format === "yaml" ? parse(stdout) : JSON.parse(stdout)) as {
        extensions: { redis_registry: object };
        exporters: { otlp_grpc: { endpoint: string; headers: object } };
      };
      assert.deepEqual(printed.extensions.redis_registry, {
        endpoint: "redis://127.0.0.1:1",
        password: "[REDACTED]",
      });
      assert.deepEqual(printed.exporters.otlp_grpc, {
        endpoint: "localhost:1",
        headers: { authorization: "[REDACTED]", "x-tenant": "[REDACTED]" },
      });
    }
  });

  test("a secret stays hidden behind a mistyped key and in a component nobody knows", async (t) => {
    const path = writeFile(
      t,
      "gateway.yaml",
      "extensions: { redis_registry: { pasword: hidden-1 }, unknown: { token: hidden-2 } }\n",
    );
    const { stdout } = await run(["print-config", "--config", path]);
    assert.doesNotMatch(stdout, /hidden/);
    assert.match(stdout, /pasword: "?\[REDACTED\]/);
  });

  test("shows what --set and later files changed, and everything with --mode unredacted", async (t) => {
    const path = writeFile(t, "gateway.yaml", gatewayYaml);
    const later = writeFile(t, "later.yaml", "exporters: { otlp_grpc: { endpoint: later:1 } }\n");
    const args = ["print-config", "--config", path, "--config", later];
    const set = ["--set", "exporters.otlp_grpc.timeout=7s", "--mode", "unredacted"];
    const { stdout } = await run([...args, ...set, "--format", "json"], { environment });
    const { exporters, extensions } = JSON.parse(stdout) as Record<string, Record<string, object>>;
    assert.deepEqual(exporters?.["otlp_grpc"], {
      endpoint: "later:1",
      headers: { authorization: "Bearer token-from-env", "x-tenant": "0123" },
      timeout: "7s",
    });
    assert.deepEqual(extensions?.["redis_registry"], {
      endpoint: "redis://127.0.0.1:1",
      password: "pass-from-env",
    });
  });

  test("prints what is wrong too, unless it is asked to validate; warns of unset variables", async (t) => {
    const path = writeFile(
      t,
      "gateway.yaml",
      `receivers: { otlp: { protocol: "\${env:NOPE}" } }\n`,
    );
    const printed = await run(["print-config", "--config", path]);
    assert.equal(printed.code, 0);
    assert.match(printed.stderr, /^warning: environment variable `NOPE` is not set/);
    const validated = await run(["print-config", "--validate", "--config", path]);
    assert.equal(validated.code, 2);
    assert.equal(validated.stdout, "");
    assert.match(validated.stderr, /receivers::otlp/);
  });
});
