import { builtInFactories } from "@inode-gateway/components";
import type { ComponentKind, MetricDefinition } from "@inode-gateway/contract";
import { ownTelemetryMetrics, reloadMetrics } from "@inode-gateway/gateway";
import { pipelineMetrics } from "@inode-gateway/pipeline";
import { reporterMetrics } from "@inode-gateway/reporter";
import { processMetrics } from "@inode-gateway/telemetry";
import { markdownTable } from "./markdown-table.js";

/** The table of some metrics. */
export function metricTable(metrics: readonly MetricDefinition[]): string {
  if (metrics.length === 0) return "None of its own.";
  const rows = metrics.map(({ help, kind, labels, name }) => [
    `\`${name}\``,
    kind,
    labelText(labels),
    help,
  ]);
  return markdownTable(["metric", "kind", "labels", "meaning"], rows);
}

/** The tables of docs/metrics.md by the name of their section. */
export const metricSections: Readonly<Record<string, () => string>> = {
  pipelines: () => metricTable(pipelineMetrics),
  receivers: () => componentMetrics("receiver"),
  processors: () => componentMetrics("processor"),
  exporters: () => componentMetrics("exporter"),
  connectors: () => componentMetrics("connector"),
  extensions: () => componentMetrics("extension"),
  process: () =>
    metricTable([
      ...processMetrics({ prefix: "otelcol" }),
      targetInfo,
      ...reloadMetrics,
      ...ownTelemetryMetrics,
    ]),
  reporter: () =>
    metricTable([
      ...Object.values<MetricDefinition>(reporterMetrics),
      ...processMetrics({ prefix: "inode_reporter" }),
    ]),
};

/** Its labels are whatever `service::telemetry::resource` says, beside those that are always there. */
const targetInfo: MetricDefinition = {
  name: "target_info",
  help: "The process itself, as OpenTelemetry resource attributes.",
  kind: "gauge",
  labels: ["service_name", "service_version", "service_instance_id"],
};

/** Each metric once, with the components that have it; what the reporter counts stands by itself. */
function componentMetrics(kind: ComponentKind): string {
  const own = new Set(Object.values<MetricDefinition>(reporterMetrics).map(({ name }) => name));
  const types = new Map<MetricDefinition, string[]>();
  for (const { kind: of, metrics = [], type } of builtInFactories) {
    if (of !== kind) continue;
    for (const metric of metrics) {
      if (!own.has(metric.name)) types.set(metric, [...(types.get(metric) ?? []), `\`${type}\``]);
    }
  }
  const rows = [...types].map(([{ help, kind: metricKind, labels, name }, of]) => [
    `\`${name}\``,
    metricKind,
    labelText(labels),
    of.join(", "),
    help,
  ]);
  return markdownTable(["metric", "kind", "labels", "of", "meaning"], rows);
}

function labelText(labels: readonly string[]): string {
  return labels.map((label) => `\`${label}\``).join(", ");
}
