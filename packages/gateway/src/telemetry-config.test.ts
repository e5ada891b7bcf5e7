import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { checkEnvironment } from "@inode-gateway/config";
import {
  loggerOptions,
  meterOptions,
  metricsEndpoint,
  periodicReaders,
  processAttributes,
  type TelemetryConfig,
  targetInfoLabels,
  telemetryConfig,
} from "./telemetry-config.js";

const parsed = (section: unknown): TelemetryConfig => telemetryConfig.parse(section);

function problemsOf(section: unknown): string[] {
  const { error } = telemetryConfig.safeParse(section);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join("::")}: ${message}`);
}

const reader = (host: unknown, port: unknown) => ({
  pull: { exporter: { prometheus: { host, port } } },
});

suite("service::telemetry", () => {
  test("without a key it logs at info, thins repetitions out and serves metrics on localhost:8888", () => {
    const config = parsed({});
    assert.deepEqual(loggerOptions(config), {
      level: "info",
      encoding: "auto",
      sampling: { tickMs: 10_000, initial: 10, thereafter: 100 },
    });
    assert.equal(metricsEndpoint(config), "localhost:8888");
  });

  test("levels are read in any case, as the Collector does", () => {
    assert.equal(parsed({ logs: { level: "WARN" } }).logs.level, "warn");
    assert.equal(parsed({ metrics: { level: "None" } }).metrics.level, "none");
    assert.match(problemsOf({ logs: { level: "trace" } })[0] ?? "", /^logs::level: /);
    assert.match(problemsOf({ metrics: { level: "some" } })[0] ?? "", /^metrics::level: /);
  });

  test("every key of logs has its effect", () => {
    const logs = {
      level: "debug",
      encoding: "json",
      sampling: { tick: "1m", initial: 0, thereafter: 0 },
      initial_fields: { region: "eu", zone: 3 },
    };
    assert.deepEqual(loggerOptions(parsed({ logs })), {
      level: "debug",
      encoding: "json",
      initialFields: { region: "eu", zone: 3 },
      sampling: { tickMs: 60_000, initial: 0, thereafter: 0 },
    });
    const everything = parsed({ logs: { sampling: { enabled: false } } });
    assert.equal(loggerOptions(everything).sampling, undefined);
  });

  test("the metrics page is where the reader or the older `address` says", () => {
    const at = (metrics: unknown) => metricsEndpoint(parsed({ metrics }));
    assert.equal(at({ readers: [reader("0.0.0.0", 9_000)] }), "0.0.0.0:9000");
    assert.equal(at({ readers: [reader("::1", 0)] }), "[::1]:0");
    assert.equal(at({ readers: [reader("[::1]", 0)] }), "[::1]:0");
    assert.equal(at({ readers: [reader(undefined, undefined)] }), "localhost:8888");
    assert.equal(at({ address: "127.0.0.1:9001" }), "127.0.0.1:9001");
    assert.equal(at({ level: "none", address: "127.0.0.1:9001" }), undefined);
  });

  test("the last accepted and the first refused values", () => {
    assert.deepEqual(problemsOf({ metrics: { readers: [reader("h", 65_535)] } }), []);
    assert.equal(problemsOf({ metrics: { readers: [reader("h", 65_536)] } }).length, 1);
    assert.equal(problemsOf({ metrics: { readers: [reader("h", -1)] } }).length, 1);
    assert.deepEqual(problemsOf({ metrics: { readers: [reader("h", 1), reader("h", 2)] } }), [
      "metrics::readers: has more than one `pull`: one metrics page is served",
    ]);
    assert.deepEqual(problemsOf({ metrics: { readers: [{}] } }), [
      "metrics::readers::0: needs either `pull` or `periodic`",
    ]);
    assert.equal(problemsOf({ logs: { sampling: { initial: -1 } } }).length, 1);
    assert.equal(problemsOf({ logs: { sampling: { thereafter: 0.5 } } }).length, 1);
    assert.equal(problemsOf({ logs: { encoding: "logfmt" } }).length, 1);
    assert.equal(problemsOf({ resource: { a: 1 } }).length, 1);
    assert.equal(problemsOf({ trace: {} }).length, 1, "an unknown key");
  });

  const exportOf = (otlp: object) => ({
    logs: { processors: [{ batch: { exporter: { otlp } } }] },
  });
  const otlpPath = "logs::processors::0::batch::exporter::otlp";

  test("an OTLP destination that cannot be used is refused with its key", () => {
    for (const protocol of ["grpc", "http/protobuf"]) {
      for (const endpoint of ["backend:4318", "https://backend:4318", undefined]) {
        assert.deepEqual(problemsOf(exportOf({ protocol, endpoint })), []);
      }
      const [problem = ""] = problemsOf(exportOf({ protocol, endpoint: "a b" }));
      assert.ok(problem.startsWith(`${otlpPath}::endpoint: `), problem);
      const half = exportOf({ protocol, client_key: "key.pem" });
      assert.ok(problemsOf(half)[0]?.startsWith(`${otlpPath}::client_key: `));
    }
    assert.equal(problemsOf(exportOf({ protocol: "http/json" })).length, 1);
    assert.equal(problemsOf(exportOf({ endpoint: "backend:4317" })).length, 1);
  });

  test("a certificate that cannot be read is told by its own key", async () => {
    const section = exportOf({ protocol: "grpc", certificate: "/no/such/ca.pem" });
    const problems = await checkEnvironment(telemetryConfig, section, ["service", "telemetry"]);
    assert.deepEqual(problems, [
      {
        path: `service::telemetry::${otlpPath}`,
        message: "`certificate` /no/such/ca.pem cannot be read: there is no such file",
      },
    ]);
  });

  test("the page's names and labels follow the reader", () => {
    const resource = { "service.namespace": "shop", "k8s.pod.name": "p" };
    const options = (prometheus: object) =>
      meterOptions(
        parsed({ resource, metrics: { readers: [{ pull: { exporter: { prometheus } } }] } }),
      );
    assert.deepEqual(options({}), { counterSuffix: "", constantLabels: {} });
    const all = { included: ["*"], excluded: ["k8s.*"] };
    assert.deepEqual(options({ without_type_suffix: false, with_resource_constant_labels: all }), {
      counterSuffix: "_total",
      constantLabels: { service_namespace: "shop" },
    });
    const exact = { included: ["service.name"] };
    assert.deepEqual(options({ with_resource_constant_labels: exact }).constantLabels, {});
  });

  test("without its `pull` reader there is no page, and null takes an attribute away", () => {
    const otlp = { protocol: "grpc" };
    const config = parsed({
      metrics: { readers: [{ periodic: { exporter: { otlp } } }] },
      resource: { "service.instance.id": null },
    });
    assert.equal(metricsEndpoint(config), undefined);
    assert.equal(periodicReaders(config).length, 1);
    const none = parsed({ metrics: { level: "none", readers: config.metrics.readers } });
    assert.equal(periodicReaders(none).length, 0);
    const build = { command: "g", version: "1" };
    assert.deepEqual(processAttributes(config, build, "id"), {
      "service.name": "g",
      "service.version": "1",
    });
  });

  test("a sender's trace is recognized by W3C Trace Context only", () => {
    assert.deepEqual(parsed({}).traces.propagators, ["tracecontext"]);
    assert.deepEqual(problemsOf({ traces: { propagators: [] } }), []);
    assert.equal(problemsOf({ traces: { propagators: ["b3"] } }).length, 1);
  });

  test("the log goes to standard error only", () => {
    assert.deepEqual(problemsOf({ logs: { output_paths: ["stderr"] } }), []);
    assert.deepEqual(problemsOf({ logs: { output_paths: ["/var/log/x"] } }), [
      "logs::output_paths::0: only `stderr` is written to: let the shell or the service manager redirect it",
    ]);
  });

  test("`address` beside `readers` is a contradiction", () => {
    const metrics = { address: "127.0.0.1:1", readers: [reader("h", 1)] };
    assert.deepEqual(problemsOf({ metrics }), [
      "metrics::address: cannot be given together with `readers`: keep `readers`",
    ]);
  });

  test("target_info names the process, and what the operator adds in Prometheus's letters", () => {
    const config = parsed({
      resource: { "deployment.environment.name": "prod", "service.name": "g" },
    });
    assert.deepEqual(
      targetInfoLabels(config, { command: "inode-gateway", version: "1.2.3" }, "id"),
      {
        service_name: "g",
        service_version: "1.2.3",
        service_instance_id: "id",
        deployment_environment_name: "prod",
      },
    );
  });
});
