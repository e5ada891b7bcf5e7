import type { MetricDefinition, Signal } from "@inode-gateway/contract";
import { signals } from "@inode-gateway/otlp";
import { otlpNames } from "../transport/otlp-names.js";

const itemCounters = (outcome: string, meaning: string) =>
  Object.fromEntries(
    signals.map((signal): [Signal, MetricDefinition] => {
      const { items } = otlpNames[signal];
      const name = `otelcol_exporter_${outcome}_${items}`;
      return [signal, { name, help: `${items} ${meaning}`, kind: "counter", labels: ["exporter"] }];
    }),
  ) as Record<Signal, MetricDefinition>;

/** Items a destination took, by signal. */
export const sentItems = itemCounters("sent", "that a destination took");
/** Items whose delivery failed in the end, by signal. */
export const failedItems = itemCounters("send_failed", "that a destination did not take");
/** Items that found the queue full, or that its disk could not keep, by signal. */
export const enqueueFailedItems = itemCounters("enqueue_failed", "that the queue could not take");

/** Items a destination rejected inside requests that it took. */
export const partialSuccessItems: MetricDefinition = {
  name: "inode_gateway_exporter_partial_success_rejected_items",
  help: "Items that a destination rejected inside requests that it took (partial_success)",
  kind: "counter",
  labels: ["exporter", "data_type"],
};

/** Batches that a destination refused and that were sent again in parts. */
export const salvagedBatches: MetricDefinition = {
  name: "inode_gateway_exporter_salvaged_batches",
  help: "Batches of which only a part was refused for good, after they were taken apart",
  kind: "counter",
  labels: ["exporter", "data_type"],
};

/** Attempts under way. */
export const inFlightRequests: MetricDefinition = {
  name: "otelcol_exporter_in_flight_requests",
  help: "Requests to the destination that are under way",
  kind: "gauge",
  labels: ["exporter", "data_type"],
};

/** What the queue holds, in the unit of its sizer. */
export const queueSize: MetricDefinition = {
  name: "otelcol_exporter_queue_size",
  help: "What the queue holds, in flight included, in the unit of `sizer`",
  kind: "gauge",
  labels: ["exporter", "data_type"],
};

/** What the queue may hold, in the unit of its sizer. */
export const queueCapacity: MetricDefinition = {
  name: "otelcol_exporter_queue_capacity",
  help: "What the queue may hold, in the unit of `sizer`",
  kind: "gauge",
  labels: ["exporter", "data_type"],
};

/** How long the oldest entry of the queue has been in it. */
export const queueOldestAge: MetricDefinition = {
  name: "inode_gateway_exporter_queue_oldest_age_seconds",
  help: "Time since the oldest entry of the queue came in, 0 when it is empty",
  kind: "gauge",
  labels: ["exporter", "data_type"],
};

/** How fast the queue empties. */
export const queueDrainRate: MetricDefinition = {
  name: "inode_gateway_exporter_queue_drain_rate",
  help: "What left the queue a second, over the last 5 to 10 s, in the unit of `sizer`",
  kind: "gauge",
  labels: ["exporter", "data_type"],
};

// The Collector's boundaries: exporter/exporterhelper/metadata.yaml.
const itemBuckets = [
  10, 25, 50, 75, 100, 250, 500, 750, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10000,
  20000, 30000, 50000, 100000,
];
const byteBuckets = [
  10, 25, 50, 75, 100, 250, 500, 750, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10000,
  20000, 30000, 50000, 100000, 200000, 300000, 400000, 500000, 600000, 700000, 800000, 900000,
  1000000, 2000000, 3000000, 4000000, 5000000, 6000000, 7000000, 8000000, 9000000,
];

const sizes = (name: string, help: string, buckets: readonly number[]): MetricDefinition => ({
  name: `otelcol_exporter_${name}`,
  help,
  kind: "histogram",
  labels: ["exporter"],
  buckets,
});

/** Items of every request that came into the queue. */
export const enqueueSize = sizes(
  "enqueue_size",
  "Items of the requests that came into the queue",
  itemBuckets,
);
/** Bytes of every request that came into the queue. */
export const enqueueBytes = sizes(
  "enqueue_size_bytes",
  "Bytes of the requests that came into the queue",
  byteBuckets,
);
/** Items of every request that the queue sends on, merged and split. */
export const sendSize = sizes(
  "queue_batch_send_size",
  "Items of the requests that the queue sends on",
  itemBuckets,
);
/** Bytes of every request that the queue sends on, merged and split. */
export const sendBytes = sizes(
  "queue_batch_send_size_bytes",
  "Bytes of the requests that the queue sends on",
  byteBuckets,
);

/** Everything that any exporter counts, whatever its destination. */
export const deliveryMetrics: readonly MetricDefinition[] = [
  ...Object.values(sentItems),
  ...Object.values(failedItems),
  ...Object.values(enqueueFailedItems),
  partialSuccessItems,
  salvagedBatches,
  inFlightRequests,
  queueSize,
  queueCapacity,
  queueOldestAge,
  queueDrainRate,
  enqueueSize,
  enqueueBytes,
  sendSize,
  sendBytes,
];
