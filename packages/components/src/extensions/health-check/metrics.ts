import type { MetricDefinition } from "@inode-gateway/contract";
import { tlsMetrics } from "../../transport/tls-metrics.js";

/** Probes that were answered. */
export const probes: MetricDefinition = {
  name: "inode_gateway_health_check_probes",
  help: "Probes that were answered, by HTTP status.",
  kind: "counter",
  labels: ["extension", "status"],
};

/** Everything `health_check` counts. */
export const healthCheckMetrics: readonly MetricDefinition[] = [probes, ...tlsMetrics];
