import type { MetricDefinition } from "@inode-gateway/contract";

/** What all queues take. */
export const storageBytes: MetricDefinition = {
  name: "inode_gateway_file_storage_bytes",
  help: "Bytes that the records of all queues take in the data file, in whole pages.",
  kind: "gauge",
  labels: ["extension"],
};

/** What all queues may take. */
export const storageBytesMax: MetricDefinition = {
  name: "inode_gateway_file_storage_bytes_max",
  help: "Bytes that the records of all queues may take: `max_bytes`.",
  kind: "gauge",
  labels: ["extension"],
};

/** Records of all queues. */
export const storageRecords: MetricDefinition = {
  name: "inode_gateway_file_storage_records",
  help: "Records of all queues in the data file, those of queues that nobody opened included.",
  kind: "gauge",
  labels: ["extension"],
};

/** How long a group of writes took. */
export const storageWriteDuration: MetricDefinition = {
  name: "inode_gateway_file_storage_write_duration_seconds",
  help: "How long one transaction took in the data file, with its flush to the disk.",
  kind: "histogram",
  labels: ["extension"],
  buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
};

/** What did not work. */
export const storageFailures: MetricDefinition = {
  name: "inode_gateway_file_storage_failures",
  help:
    "Records that could not be appended, removed or read, by operation; a removal is tried again " +
    "and counts each time.",
  kind: "counter",
  labels: ["extension", "operation"],
};

/** Everything `file_storage` counts. */
export const fileStorageMetrics: readonly MetricDefinition[] = [
  storageBytes,
  storageBytesMax,
  storageRecords,
  storageWriteDuration,
  storageFailures,
];
