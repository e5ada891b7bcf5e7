import { defineExtension } from "@inode-gateway/contract";
import { inodeReporterConfig } from "./config.js";
import { InodeReporterExtension } from "./inode-reporter.js";
import { inodeReporterMetrics } from "./metrics.js";

/** The reporter of the gateway's own node, without a process of its own. */
export const inodeReporter = defineExtension({
  type: "inode_reporter",
  stability: "development",
  config: inodeReporterConfig,
  metrics: inodeReporterMetrics,
  extensions: ({ registry }) => [{ extensionId: registry, path: ["registry"] }],
  create: (settings, config) => new InodeReporterExtension(settings, config),
});
