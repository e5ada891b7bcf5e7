import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { decodeRequest, waitUntil } from "@inode-gateway/testkit";
import { GrpcBackend, HttpBackend } from "../conformance/otlp/backends.js";
import { exportPaths } from "../conformance/otlp/grpc-client.js";
import { Executable } from "./executable.js";
import { metricSum } from "./running-gateway.js";
import { sendSpans } from "./spans.js";

/** A gateway that delivers to nowhere, with what `service::telemetry` is to say. */
async function start(t: TestContext, telemetry: object) {
  const configuration = {
    receivers: {
      otlp: { protocols: { http: { endpoint: "127.0.0.1:0" } } },
    },
    exporters: { nop: null },
    service: { telemetry, pipelines: { traces: { receivers: ["otlp"], exporters: ["nop"] } } },
  };
  const args = ["--config", `yaml:${JSON.stringify(configuration)}`];
  const process = new Executable("inode-gateway", args);
  t.after(() => process.end());
  await process.logged(({ msg }) => msg.startsWith("Everything is ready"), "readiness");
  const logged = (fits: string) =>
    String(process.log().find(({ msg }) => msg === fits)?.["endpoint"]);
  const page = `http://${logged("serving metrics")}/metrics`;
  return {
    process,
    http: logged("Receiving OTLP"),
    metric: async (name: string, labels: Readonly<Record<string, string>>) =>
      metricSum(await (await fetch(page)).text(), name, labels),
  };
}

const pull = { pull: { exporter: { prometheus: { host: "127.0.0.1", port: 0 } } } };

interface Valued {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

function textsOf(attributes: readonly Valued[]): Record<string, string> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]),
  );
}

interface SentLogs {
  readonly resource_logs: readonly {
    readonly resource: { readonly attributes: readonly Valued[] };
    readonly scope_logs: readonly {
      readonly log_records: readonly {
        readonly body: { readonly string_value: string };
        readonly severity_text: string;
        readonly attributes: readonly Valued[];
      }[];
    }[];
  }[];
}

interface SentMetrics {
  readonly resource_metrics: readonly {
    readonly scope_metrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly sum?: {
          readonly is_monotonic: boolean;
          readonly data_points: readonly {
            readonly attributes: readonly Valued[];
            readonly as_double: number;
          }[];
        };
      }[];
    }[];
  }[];
}

suite("own telemetry over OTLP", () => {
  test("sends its log over HTTP and its metrics over gRPC, the last of both at the stop", async (t) => {
    const logs = await HttpBackend.start(t);
    const metrics = await GrpcBackend.start(t);
    const toLogs = {
      protocol: "http/protobuf",
      endpoint: logs.url,
      headers: [{ name: "x-tenant", value: "operations" }],
    };
    const toMetrics = { protocol: "grpc", endpoint: metrics.endpoint, insecure: true };
    const gateway = await start(t, {
      resource: { "deployment.environment.name": "test" },
      logs: { processors: [{ batch: { schedule_delay: 100, exporter: { otlp: toLogs } } }] },
      metrics: { readers: [pull, { periodic: { interval: 200, exporter: { otlp: toMetrics } } }] },
    });
    assert.equal((await sendSpans(gateway.http, "own", {}, 3)).status, 200);
    await waitUntil(() => metrics.calls.length >= 2 && logs.requests.length >= 1);
    assert.equal(await gateway.process.stop(), 0, gateway.process.stderr);

    const requests = logs.requests.map(
      ({ body }) => decodeRequest("logs", body) as unknown as SentLogs,
    );
    const sent = requests.flatMap(({ resource_logs }) =>
      resource_logs.flatMap(({ scope_logs }) => scope_logs.flatMap((each) => each.log_records)),
    );
    const messages = sent.map(({ body }) => body.string_value);
    assert.deepEqual(
      messages,
      gateway.process.log().map(({ msg }) => msg),
    );
    const receiving = sent[messages.indexOf("Receiving OTLP")];
    assert.equal(receiving?.severity_text, "INFO");
    const fields = textsOf(receiving?.attributes ?? []);
    assert.deepEqual([fields["otelcol.component.id"], fields["transport"]], ["otlp", "http"]);
    const resource = textsOf(requests[0]?.resource_logs[0]?.resource.attributes ?? []);
    assert.equal(resource["service.name"], "inode-gateway");
    assert.equal(resource["deployment.environment.name"], "test");
    assert.equal(logs.requests[0]?.url, "/v1/logs");
    assert.equal(logs.requests[0]?.headers["x-tenant"], "operations");

    const last = metrics.calls.at(-1);
    assert.equal(last?.path, exportPaths.metrics);
    const values = decodeRequest("metrics", last?.message ?? Buffer.of()) as unknown as SentMetrics;
    const named = values.resource_metrics[0]?.scope_metrics[0]?.metrics ?? [];
    const accepted = named.find(({ name }) => name === "otelcol_receiver_accepted_spans")?.sum;
    assert.equal(accepted?.is_monotonic, true);
    assert.deepEqual(
      accepted?.data_points.map(({ as_double, attributes }) => [as_double, textsOf(attributes)]),
      [[3, { receiver: "otlp", transport: "http" }]],
    );
    assert.ok(named.some(({ name }) => name === "otelcol_process_memory_rss"));
  });

  // Scenario: nothing listens where the log should go.
  test("a destination that is away costs the pipelines nothing, and is counted", async (t) => {
    const otlp = { protocol: "grpc", endpoint: "127.0.0.1:1", insecure: true };
    const batch = { schedule_delay: 50, export_timeout: 100, exporter: { otlp } };
    const gateway = await start(t, {
      logs: { processors: [{ batch }] },
      metrics: { readers: [pull] },
    });
    assert.equal((await sendSpans(gateway.http, "own", {})).status, 200);
    const labels = { signal: "logs", reason: "export_failed" };
    await waitUntil(
      async () => (await gateway.metric("inode_gateway_own_telemetry_dropped", labels)) > 0,
    );
    assert.equal(await gateway.process.stop(), 0, gateway.process.stderr);
  });
});
