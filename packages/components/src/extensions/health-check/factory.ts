import { defineExtension } from "@inode-gateway/contract";
import { healthCheckConfig } from "./config.js";
import { HealthCheck } from "./health-check.js";
import { healthCheckMetrics } from "./metrics.js";

/** Tells probes over HTTP whether every pipeline runs. */
export const healthCheck = defineExtension({
  type: "health_check",
  stability: "development",
  config: healthCheckConfig,
  metrics: healthCheckMetrics,
  create: (settings, config) => new HealthCheck(settings, config),
});
