import type { MetricDefinition } from "@inode-gateway/contract";

/** Requests that were answered. */
export const profileRequests: MetricDefinition = {
  name: "inode_gateway_pprof_requests",
  help: "Requests for profiles that were answered, by HTTP status.",
  kind: "counter",
  labels: ["extension", "status"],
};

/** Everything `pprof` counts. */
export const pprofMetrics: readonly MetricDefinition[] = [profileRequests];
