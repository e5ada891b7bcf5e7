import type { MetricDefinition, Signal } from "@inode-gateway/contract";

const labels = ["filter"] as const;

/** Spans dropped. The Collector's name is `otelcol_processor_filter_spans.filtered`. */
export const spansFiltered: MetricDefinition = {
  name: "otelcol_processor_filter_spans_filtered",
  help: "Number of spans dropped by the filter processor.",
  kind: "counter",
  labels,
};

/** Data points dropped. */
export const datapointsFiltered: MetricDefinition = {
  name: "otelcol_processor_filter_datapoints_filtered",
  help: "Number of metric data points dropped by the filter processor.",
  kind: "counter",
  labels,
};

/** Log records dropped. */
export const logsFiltered: MetricDefinition = {
  name: "otelcol_processor_filter_logs_filtered",
  help: "Number of log records dropped by the filter processor.",
  kind: "counter",
  labels,
};

/** Span events dropped; their spans went on. */
export const spanEventsFiltered: MetricDefinition = {
  name: "inode_gateway_filter_span_events_filtered",
  help: "Number of span events dropped by the filter processor; they are no items.",
  kind: "counter",
  labels,
};

/** Conditions that had no answer for an item. */
export const conditionErrors: MetricDefinition = {
  name: "inode_gateway_filter_condition_errors",
  help: "Number of times a condition had no answer, such as for a value of another type.",
  kind: "counter",
  labels,
};

/** The metric that counts the dropped items of a signal. */
export const itemsFiltered: Readonly<Record<Exclude<Signal, "profiles">, MetricDefinition>> = {
  traces: spansFiltered,
  metrics: datapointsFiltered,
  logs: logsFiltered,
};

/** Everything `filter` counts. */
export const filterMetrics: readonly MetricDefinition[] = [
  spansFiltered,
  datapointsFiltered,
  logsFiltered,
  spanEventsFiltered,
  conditionErrors,
];
