import { defineProcessor } from "@inode-gateway/contract";
import { filterConfig } from "./config.js";
import { FilterProcessor } from "./filter-processor.js";
import { filterMetrics } from "./metrics.js";

/** Drops what matches conditions in the OpenTelemetry Transformation Language. */
export const filterProcessor = defineProcessor({
  type: "filter",
  signals: ["traces", "metrics", "logs"],
  stability: "development",
  config: filterConfig,
  metrics: filterMetrics,
  create: (settings, config, next) => new FilterProcessor(settings, config, next),
});
