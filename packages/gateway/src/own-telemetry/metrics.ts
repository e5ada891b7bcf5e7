import type { MetricDefinition } from "@inode-gateway/contract";

/** Log records, spans and data points that were sent. */
export const ownTelemetrySent: MetricDefinition = {
  name: "inode_gateway_own_telemetry_sent",
  help: "Items of the process's own telemetry that a destination took, by signal.",
  kind: "counter",
  labels: ["signal"],
};

/** What was given up; the pipelines know nothing of it. */
export const ownTelemetryDropped: MetricDefinition = {
  name: "inode_gateway_own_telemetry_dropped",
  help: "Items of the process's own telemetry that were given up, by signal and reason: queue_full, export_failed.",
  kind: "counter",
  labels: ["signal", "reason"],
};

/** Everything the export of own telemetry counts. */
export const ownTelemetryMetrics: readonly MetricDefinition[] = [
  ownTelemetrySent,
  ownTelemetryDropped,
];
