import type { MetricDefinition } from "@inode-gateway/contract";
import { tlsMetrics } from "../../transport/tls-metrics.js";

/** Requests that were answered. */
export const zpagesRequests: MetricDefinition = {
  name: "inode_gateway_zpages_requests",
  help: "Requests for status pages that were answered, by HTTP status.",
  kind: "counter",
  labels: ["extension", "status"],
};

/** Everything `zpages` counts. */
export const zpagesMetrics: readonly MetricDefinition[] = [zpagesRequests, ...tlsMetrics];
