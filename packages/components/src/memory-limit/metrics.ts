import type { MetricDefinition } from "@inode-gateway/contract";

const labels = ["component_kind", "component_id"] as const;

/** What the kernel counts. */
export const residentBytes: MetricDefinition = {
  name: "inode_gateway_memory_limiter_resident_bytes",
  help: "Resident memory of the process when it was last measured.",
  kind: "gauge",
  labels,
};

/** What of it is used. */
export const inUseBytes: MetricDefinition = {
  name: "inode_gateway_memory_limiter_in_use_bytes",
  help: "Resident memory that is in use or not yet collected; the rest is free for what comes next.",
  kind: "gauge",
  labels,
};

/** The soft limit. */
export const softLimitBytes: MetricDefinition = {
  name: "inode_gateway_memory_limiter_soft_limit_bytes",
  help: "Memory at which everything is refused.",
  kind: "gauge",
  labels,
};

/** The hard limit. */
export const hardLimitBytes: MetricDefinition = {
  name: "inode_gateway_memory_limiter_hard_limit_bytes",
  help: "Memory that the process should never have.",
  kind: "gauge",
  labels,
};

/** Whether the door is shut. */
export const refusing: MetricDefinition = {
  name: "inode_gateway_memory_limiter_refusing",
  help: "1 while everything is refused, else 0.",
  kind: "gauge",
  labels,
};

/** Forced collections. */
export const collections: MetricDefinition = {
  name: "inode_gateway_memory_limiter_collections",
  help: "Garbage collections that were forced, by depth: young (about a millisecond) or all.",
  kind: "counter",
  labels: [...labels, "depth"],
};

/** Requests turned away at the door. */
export const refusedRequests: MetricDefinition = {
  name: "inode_gateway_memory_limiter_refused_requests",
  help: "Requests that were refused before they were read; how many items they had is not known.",
  kind: "counter",
  labels,
};

/** What every user of a memory limit counts. */
export const memoryLimitMetrics: readonly MetricDefinition[] = [
  residentBytes,
  inUseBytes,
  softLimitBytes,
  hardLimitBytes,
  refusing,
  collections,
  refusedRequests,
];
