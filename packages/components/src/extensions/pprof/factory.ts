import { defineExtension } from "@inode-gateway/contract";
import { pprofConfig } from "./config.js";
import { pprofMetrics } from "./metrics.js";
import { Pprof } from "./pprof.js";

/** Gives profiles of this process, in V8's formats. */
export const pprof = defineExtension({
  type: "pprof",
  stability: "development",
  config: pprofConfig,
  metrics: pprofMetrics,
  create: (settings, config) => new Pprof(settings, config),
});
