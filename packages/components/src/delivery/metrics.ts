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
/** Items that found the queue full, by signal. */
export const enqueueFailedItems = itemCounters("enqueue_failed", "that found the queue full");

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
];
