import type { MetricDefinition } from "@inode-gateway/contract";
import { reporterMetrics } from "@inode-gateway/reporter";

/** Whether the node is followed and the registry agrees with it. */
export const reporterReady: MetricDefinition = {
  name: "inode_gateway_reporter_ready",
  help: "1 while the node is followed and the registry agrees with it, else 0.",
  kind: "gauge",
  labels: ["extension"],
};

/** What the reporter inside counts, and the extension itself. */
export const inodeReporterMetrics: readonly MetricDefinition[] = [
  ...Object.values(reporterMetrics),
  reporterReady,
];
