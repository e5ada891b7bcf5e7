import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { decodeRequest, waitUntil } from "@inode-gateway/testkit";
import { GrpcBackend, HttpBackend } from "../conformance/otlp/backends.js";
import { exportPaths } from "../conformance/otlp/grpc-client.js";
import { send } from "../conformance/otlp/http-client.js";
import { Executable } from "./executable.js";
import { metricSum } from "./running-gateway.js";
import { sendSpans, spansOf } from "./spans.js";

/** What differs from a gateway that delivers to nowhere. */
interface Parts {
  /** Keys of the receiver's HTTP protocol. */
  readonly receiver?: object;
  readonly exporters?: object;
}

/** A gateway that delivers to nowhere unless told, with what `service::telemetry` is to say. */
async function start(t: TestContext, telemetry: object, parts: Parts = {}) {
  const { exporters = { nop: null }, receiver = {} } = parts;
  const pipelines = { traces: { receivers: ["otlp"], exporters: Object.keys(exporters) } };
  const configuration = {
    receivers: {
      otlp: { protocols: { http: { endpoint: "127.0.0.1:0", ...receiver } } },
    },
    exporters,
    service: { telemetry, pipelines },
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

interface SentSpan {
  readonly name: string;
  readonly trace_id: Uint8Array;
  readonly span_id: Uint8Array;
  readonly parent_span_id?: Uint8Array;
  readonly kind: number;
  readonly attributes: readonly Valued[];
  readonly status?: { readonly code: number };
}

interface SentTraces {
  readonly resource_spans: readonly {
    readonly scope_spans: readonly { readonly spans: readonly SentSpan[] }[];
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

  // Scenario: two requests, of which the sender follows the second; the backend refuses its first try.
  test("follows a request: one span of the receiver, one of each try to send", async (t) => {
    const traces = await GrpcBackend.start(t);
    const backend = await GrpcBackend.start(t);
    const otlp = { protocol: "grpc", endpoint: traces.endpoint, insecure: true };
    const gateway = await start(
      t,
      {
        metrics: { readers: [pull] },
        traces: {
          processors: [{ batch: { schedule_delay: 50, exporter: { otlp } } }],
          sampler: { parent_based: { root: { always_off: {} } } },
        },
      },
      {
        receiver: { include_metadata: true },
        exporters: {
          otlp_grpc: {
            endpoint: backend.endpoint,
            tls: { insecure: true },
            retry_on_failure: { initial_interval: "10ms" },
          },
        },
      },
    );
    const followed = "4bf92f3577b34da6a3ce929d0e0e4736";
    const parent = "00f067aa0ba902b7";
    const url = `http://${gateway.http}/v1/traces`;
    const sendFlagged = async (flags: string) => {
      const traceparent = `00-${followed}-${parent}-${flags}`;
      const headers = { "content-type": "application/x-protobuf", traceparent };
      assert.equal((await send(url, spansOf("own", {}, 3), { headers })).status, 200);
    };
    await sendFlagged("00");
    await waitUntil(() => backend.calls.length === 1);
    const take = backend.answer;
    backend.answer = () => {
      backend.answer = take;
      return { code: 14, message: "not now" };
    };
    await sendFlagged("01");
    await waitUntil(() => backend.calls.length === 3);
    assert.equal(await gateway.process.stop(), 0, gateway.process.stderr);

    const spans = traces.calls.flatMap(({ message }) =>
      (decodeRequest("traces", message) as unknown as SentTraces).resource_spans.flatMap((group) =>
        group.scope_spans.flatMap((scope) => scope.spans),
      ),
    );
    const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("hex");
    const received = spans.filter(({ name }) => name === "receiver/otlp/TraceDataReceived");
    const sent = spans.filter(({ name }) => name === "exporter/otlp_grpc/traces");
    assert.equal(received.length, 1, "the sender's other request is not followed");
    const [root] = received;
    assert.deepEqual([hex(root?.trace_id), hex(root?.parent_span_id)], [followed, parent]);
    assert.equal(textsOf(root?.attributes ?? [])["items"], "3");
    const codes = sent.map(({ status }) => status?.code ?? 0);
    assert.deepEqual(codes.sort(), [0, 2], "the try that failed and the one that did not");
    for (const { parent_span_id, trace_id } of sent) {
      assert.deepEqual([hex(trace_id), hex(parent_span_id)], [followed, hex(root?.span_id)]);
    }
    assert.equal(spans.length, 1 + sent.length, "the export of traces is not followed itself");
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
