import type { MetricDefinition } from "@inode-gateway/contract";

const labels = ["processor", "otel_signal"] as const;

/** Resources whose result was remembered. */
export const cacheHits: MetricDefinition = {
  name: "inode_gateway_resource_cache_hits",
  help: "Resources whose new bytes were remembered from an earlier request.",
  kind: "counter",
  labels,
};

/** Resources that had to be edited. */
export const cacheMisses: MetricDefinition = {
  name: "inode_gateway_resource_cache_misses",
  help: "Resources whose attributes had to be read and changed.",
  kind: "counter",
  labels,
};

/** Everything `resource` counts. */
export const resourceMetrics: readonly MetricDefinition[] = [cacheHits, cacheMisses];
