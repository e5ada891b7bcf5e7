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
  create: (settings, config) => new RedisRegistryExtension(settings, config),
});
