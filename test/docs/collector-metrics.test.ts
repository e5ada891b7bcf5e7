import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { builtInFactories } from "@inode-gateway/components";
import type { MetricDefinition } from "@inode-gateway/contract";
import { pipelineMetrics } from "@inode-gateway/pipeline";
import { processMetrics } from "@inode-gateway/telemetry";
import { buildRequest, waitUntil } from "@inode-gateway/testkit";
import { HttpBackend } from "../conformance/otlp/backends.js";
import { send } from "../conformance/otlp/http-client.js";
import { Executable } from "../e2e/executable.js";
import { tableRows } from "./markdown-table.js";
import { readText } from "./repository.js";

/** A metric of the Collector, with the labels it has at the level `normal`. */
type CollectorMetric = readonly [name: string, labels: readonly string[]];

const items = ["spans", "metric_points", "log_records"] as const;

const perItem = (names: readonly string[], labels: readonly string[]): CollectorMetric[] =>
  names.flatMap((name) => items.map((item): CollectorMetric => [`${name}_${item}`, labels]));

/** What the Collector's metadata.yaml files name for components that exist here too. */
const collectorMetrics: readonly CollectorMetric[] = [
  ...perItem(
    ["otelcol_receiver_accepted", "otelcol_receiver_refused", "otelcol_receiver_failed"],
    ["receiver", "transport"],
  ),
  ["otelcol_receiver_requests", ["receiver", "transport", "outcome"]],
  ...perItem(
    ["otelcol_exporter_sent", "otelcol_exporter_send_failed", "otelcol_exporter_enqueue_failed"],
    ["exporter"],
  ),
  ["otelcol_exporter_queue_size", ["exporter", "data_type"]],
  ["otelcol_exporter_queue_capacity", ["exporter", "data_type"]],
  ["otelcol_exporter_in_flight_requests", ["exporter", "data_type"]],
  ["otelcol_exporter_enqueue_size", ["exporter"]],
  ["otelcol_exporter_enqueue_size_bytes", ["exporter"]],
  ["otelcol_exporter_queue_batch_send_size", ["exporter"]],
  ["otelcol_exporter_queue_batch_send_size_bytes", ["exporter"]],
  ...perItem(
    ["otelcol_processor_memory_limiter_accepted", "otelcol_processor_memory_limiter_refused"],
    ["processor"],
  ),
  ["otelcol_processor_batch_batch_send_size", ["processor"]],
  ["otelcol_processor_batch_batch_send_size_bytes", ["processor"]],
  ["otelcol_processor_batch_batch_size_trigger_send", ["processor"]],
  ["otelcol_processor_batch_timeout_trigger_send", ["processor"]],
  ["otelcol_processor_batch_metadata_cardinality", ["processor"]],
  ["otelcol_processor_filter_spans_filtered", ["filter"]],
  ["otelcol_processor_filter_logs_filtered", ["filter"]],
  ["otelcol_processor_filter_datapoints_filtered", ["filter"]],
  ["otelcol_processor_incoming_items", ["processor", "otel_signal"]],
  ["otelcol_processor_outgoing_items", ["processor", "otel_signal"]],
  ["otelcol_processor_internal_duration", ["processor", "otel_signal"]],
  ["otelcol_process_uptime", []],
  ["otelcol_process_cpu_seconds", []],
  ["otelcol_process_memory_rss", []],
  ["otelcol_process_runtime_heap_alloc_bytes", []],
  ["otelcol_process_runtime_total_alloc_bytes", []],
  ["otelcol_process_runtime_total_sys_memory_bytes", []],
  ["target_info", ["service_name", "service_version", "service_instance_id"]],
  ["http_server_request_duration", []],
  ["http_server_request_body_size", []],
  ["http_server_response_body_size", []],
  ["rpc_server_call_duration", []],
];

/** What differs, as docs/collector-users.md lists it with a reason: name, what differs, why. */
const exceptions = new Map(
  tableRows(sectionAfter(readText("docs/collector-users.md"), "## Metrics that differ")).flatMap(
    ([names = "", ...rest]) =>
      [...names.matchAll(/\*\*([^*]+)\*\*/g)].map(([, name = ""]) => [name, rest] as const),
  ),
);

function sectionAfter(page: string, heading: string): string {
  const start = page.indexOf(`\n${heading}\n`);
  assert.ok(start >= 0, `docs/collector-users.md has ${heading}`);
  const rest = page.slice(start + heading.length + 2);
  const end = rest.indexOf("\n## ");
  return end < 0 ? rest : rest.slice(0, end);
}

/** Every metric that a component, the engine or the process may show, by name. */
const defined: ReadonlyMap<string, MetricDefinition> = new Map(
  [
    ...builtInFactories.flatMap(({ metrics = [] }) => metrics),
    ...pipelineMetrics,
    ...processMetrics({ prefix: "otelcol" }),
  ].map((metric) => [metric.name, metric]),
);

const configuration = (taking: string, silent: string) => `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:0" } } }
  otlp/full: { protocols: { http: { endpoint: "127.0.0.1:0" } } }
processors:
  memory_limiter: { check_interval: 1s, limit_percentage: 90 }
  filter:
    error_mode: ignore
    traces: { span: ['name == "nothing"'] }
    metrics: { datapoint: ['metric.name == "nothing"'] }
    logs: { log_record: ['body == "nothing"'] }
  batch: { timeout: 10ms }
exporters:
  otlp_http: { endpoint: "${taking}", sending_queue: { batch: { flush_timeout: 10ms } } }
  otlp_http/away: { endpoint: "http://127.0.0.1:1", retry_on_failure: { enabled: false } }
  otlp_http/full:
    endpoint: "${silent}"
    sending_queue: { queue_size: 1, num_consumers: 1 }
service:
  telemetry: { metrics: { level: detailed, readers: [{ pull: { exporter: { prometheus: { host: 127.0.0.1, port: 0 } } } }] } }
  pipelines:
${["traces", "metrics", "logs"]
  .map(
    (signal) => `
    ${signal}: { receivers: [otlp], processors: [memory_limiter, filter, batch], exporters: [otlp_http, otlp_http/away] }
    ${signal}/full: { receivers: [otlp/full], exporters: [otlp_http/full] }`,
  )
  .join("\n")}
`;

/** A page after every signal was taken, refused, sent, and not sent. */
async function pageAfterTraffic(t: TestContext): Promise<string> {
  const taking = await HttpBackend.start(t);
  const silent = await HttpBackend.start(t);
  silent.answer = () => new Promise(() => undefined);
  const args = ["--config", `yaml:${configuration(taking.url, silent.url)}`];
  const gateway = new Executable("inode-gateway", args);
  t.after(() => gateway.end());
  await gateway.logged(({ msg }) => msg.startsWith("Everything is ready"), "readiness");
  const receiver = (id: string) => {
    const own = gateway.log().find((line) => line["otelcol.component.id"] === id);
    return `http://${String(own?.["endpoint"])}`;
  };
  for (const signal of ["traces", "metrics", "logs"] as const) {
    const request = buildRequest(signal, { itemsPerScope: 2 });
    const statuses = [];
    for (const id of ["otlp", "otlp/full", "otlp/full"]) {
      statuses.push((await send(`${receiver(id)}/v1/${signal}`, request)).status);
    }
    assert.deepEqual(statuses, [200, 200, 503], signal);
  }
  const metrics = gateway.log().find((line) => line["path"] === "/metrics");
  let page = "";
  await waitUntil(
    async () => {
      page = await (await fetch(`http://${String(metrics?.["endpoint"])}/metrics`)).text();
      return ["sent", "send_failed"].every((outcome) =>
        items.every((item) => page.includes(`\notelcol_exporter_${outcome}_${item}{`)),
      );
    },
    { limitMs: 10_000 },
  );
  return page;
}

/** The label names of a metric's series on a page; undefined when it has none. */
function labelsOnPage(page: string, name: string): readonly string[] | undefined {
  const series = new RegExp(`^${name}(?:_sum)?(?:\\{(.*)\\})? \\S+$`, "m").exec(page);
  if (series === null) return undefined;
  return [...(series[1] ?? "").matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)].map(([, label = ""]) => label);
}

/** Only a bug, or a process without memory, makes these appear. */
const rare = /^otelcol_receiver_failed_|^otelcol_processor_memory_limiter_refused_/;

suite("the Collector's metrics", () => {
  test("are all defined here under their names and labels, or listed as an exception", () => {
    for (const [name, labels] of collectorMetrics) {
      if (exceptions.has(name) || name === "target_info") continue;
      assert.deepEqual(defined.get(name)?.labels, labels, name);
    }
  });

  test("are on the page after traffic, with their labels", async (t) => {
    const page = await pageAfterTraffic(t);
    for (const [name, labels] of collectorMetrics) {
      if (exceptions.has(name)) continue;
      const shown = labelsOnPage(page, name);
      if (shown === undefined && rare.test(name)) continue;
      assert.deepEqual([...(shown ?? ["not there"])].sort(), [...labels].sort(), name);
    }
  });

  test("every exception names a metric of the Collector and says why", () => {
    const names = new Set(collectorMetrics.map(([name]) => name));
    for (const [name, [difference = "", reason = ""]] of exceptions) {
      assert.ok(names.has(name), `${name} is no metric of the Collector`);
      assert.ok(difference.length > 0 && reason.length > 20, `${name} has a reason`);
    }
  });
});
