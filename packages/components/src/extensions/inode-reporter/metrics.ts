import type { MetricDefinition } from "@inode-gateway/contract";

/** Whether the node is followed and the registry agrees with it. */
export const reporterReady: MetricDefinition = {
  name: "inode_gateway_reporter_ready",
  help: "1 while the node is followed and the registry agrees with it, else 0.",
  kind: "gauge",
  labels: ["extension"],
};

/** What the extension itself counts, beside the metrics of the reporter inside it. */
export const inodeReporterMetrics: readonly MetricDefinition[] = [reporterReady];
