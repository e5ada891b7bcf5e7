import { defineProcessor } from "@inode-gateway/contract";
import { BatchProcessor } from "./batch-processor.js";
import { batchConfig } from "./config.js";
import { batchMetrics } from "./metrics.js";

/** Collects small requests into larger ones. Profiles pass through one by one. */
export const batchProcessor = defineProcessor({
  type: "batch",
  signals: ["traces", "metrics", "logs", "profiles"],
  stability: "development",
  config: batchConfig,
  metrics: batchMetrics,
  create: (settings, config, next) => new BatchProcessor(settings, config, next),
});
