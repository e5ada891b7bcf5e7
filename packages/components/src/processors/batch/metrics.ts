import type { MetricDefinition } from "@inode-gateway/contract";

const labels = ["processor"] as const;

// The Collector's boundaries: processor/batchprocessor/metadata.yaml.
const itemBuckets = [
  10, 25, 50, 75, 100, 250, 500, 750, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10000,
  20000, 30000, 50000, 100000,
];
const byteBuckets = [
  ...itemBuckets,
  200000,
  300000,
  400000,
  500000,
  600000,
  700000,
  800000,
  900000,
  1000000,
  2000000,
  3000000,
  4000000,
  5000000,
  6000000,
  7000000,
  8000000,
  9000000,
];

/** Items of every batch sent. */
export const sendSize: MetricDefinition = {
  name: "otelcol_processor_batch_batch_send_size",
  help: "Number of items in the batches that were sent.",
  kind: "histogram",
  labels,
  buckets: itemBuckets,
};

/** Bytes of every batch sent. */
export const sendBytes: MetricDefinition = {
  name: "otelcol_processor_batch_batch_send_size_bytes",
  help: "Number of bytes in the batches that were sent.",
  kind: "histogram",
  labels,
  buckets: byteBuckets,
};

/** Batches sent because they were large enough. */
export const sizeTrigger: MetricDefinition = {
  name: "otelcol_processor_batch_batch_size_trigger_send",
  help: "Number of times a batch was sent because of its size, in items or in bytes.",
  kind: "counter",
  labels,
};

/** Batches sent because they were old enough. */
export const timeoutTrigger: MetricDefinition = {
  name: "otelcol_processor_batch_timeout_trigger_send",
  help: "Number of times a batch was sent because its time was up.",
  kind: "counter",
  labels,
};

/** Combinations of metadata values. */
export const metadataCardinality: MetricDefinition = {
  name: "otelcol_processor_batch_metadata_cardinality",
  help: "Number of distinct combinations of metadata values that have something to send.",
  kind: "gauge",
  labels: ["processor", "pipeline"],
};

/** What waits here. */
export const pendingBytes: MetricDefinition = {
  name: "inode_gateway_batch_pending_bytes",
  help: "Bytes of everything that was accepted and not yet passed on.",
  kind: "gauge",
  labels: ["processor", "pipeline"],
};

/** Everything `batch` counts. */
export const batchMetrics: readonly MetricDefinition[] = [
  sendSize,
  sendBytes,
  sizeTrigger,
  timeoutTrigger,
  metadataCardinality,
  pendingBytes,
];
