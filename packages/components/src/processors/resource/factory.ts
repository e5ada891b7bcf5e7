import { defineProcessor } from "@inode-gateway/contract";
import { resourceConfig } from "./config.js";
import { resourceMetrics } from "./metrics.js";
import { ResourceProcessor } from "./resource-processor.js";

/** Changes the attributes of Resources. */
export const resourceProcessor = defineProcessor({
  type: "resource",
  signals: ["traces", "metrics", "logs", "profiles"],
  stability: "development",
  config: resourceConfig,
  metrics: resourceMetrics,
  create: (settings, config, next) => new ResourceProcessor(settings, config, next),
});
