import { defineExtension } from "@inode-gateway/contract";
import { redisRegistryConfig } from "./config.js";
import { redisRegistryMetrics } from "./metrics.js";
import { RedisRegistryExtension } from "./redis-registry.js";

/** Asks Redis for the mappings from inodes to containers. */
export const redisRegistry = defineExtension({
  type: "redis_registry",
  stability: "development",
  config: redisRegistryConfig,
  metrics: redisRegistryMetrics,
  // Owns no port and no directory: old and new may run side by side.
  exclusive: () => false,
  create: (settings, config) => new RedisRegistryExtension(settings, config),
});
