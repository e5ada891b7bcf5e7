import { defineExtension } from "@inode-gateway/contract";
import { memoryRegistryConfig } from "./config.js";
import { MemoryRegistryExtension } from "./memory-registry.js";
import { memoryRegistryMetrics } from "./metrics.js";

/** Holds the mappings from inodes to containers in the gateway's own memory. */
export const memoryRegistry = defineExtension({
  type: "memory_registry",
  stability: "development",
  config: memoryRegistryConfig,
  metrics: memoryRegistryMetrics,
  // Owns no port and no directory: old and new may run side by side.
  exclusive: () => false,
  create: (settings, config) => new MemoryRegistryExtension(settings, config),
});
