import { defineProcessor } from "@inode-gateway/contract";
import { probabilisticSamplerConfig } from "./config.js";
import { probabilisticSamplerMetrics } from "./metrics.js";
import { ProbabilisticSampler } from "./probabilistic-sampler.js";

/** Keeps a share of the spans or log records, the same ones in every replica. */
export const probabilisticSampler = defineProcessor({
  type: "probabilistic_sampler",
  signals: ["traces", "logs"],
  stability: "development",
  config: probabilisticSamplerConfig,
  metrics: probabilisticSamplerMetrics,
  create: (settings, config, next) => new ProbabilisticSampler(settings, config, next),
});
