export { executableConfig } from "./executable/executable-config.js";
export { reporterMetrics } from "./metrics.js";
export {
  createRedisRegistryFromConfig,
  type RedisRegistryConfig,
  redisRegistryConfig,
} from "./redis-registry-config.js";
export { createReporter } from "./reporter.js";
export { type ReporterConfig, reporterConfig } from "./reporter-config.js";
export type {
  Clock,
  Logger,
  Meter,
  Reporter,
  ReporterOptions,
  ReporterStatus,
} from "./reporter-types.js";
