export type * from "./container-registry.js";
export { isBootId, isDevice, isInode, registryLimits } from "./limits.js";
export { formatMappingLine, type MappingLine, parseMappingLine } from "./mapping-lines.js";
export { createMemoryRegistry } from "./memory/memory-registry.js";
export { createRedisRegistry } from "./redis/redis-registry.js";
export {
  defaultRegistryTimes,
  type MemoryRegistryOptions,
  type RedisRegistryOptions,
  type RedisTlsOptions,
  type RegistryClock,
  type RegistryObserver,
  type RegistryTimes,
} from "./registry-options.js";
