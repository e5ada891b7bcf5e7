import type { ContainerPublisher } from "@inode-gateway/registry";
import type { Reporter, ReporterOptions } from "./reporter-types.js";

export {
  createRedisRegistryFromConfig,
  type RedisRegistryConfig,
  redisRegistryConfig,
} from "./redis-registry-config.js";
export { type ReporterConfig, reporterConfig } from "./reporter-config.js";
export type { Reporter, ReporterOptions, ReporterStatus } from "./reporter-types.js";

export declare function createReporter(
  options: ReporterOptions,
  publisher: ContainerPublisher,
): Reporter;
