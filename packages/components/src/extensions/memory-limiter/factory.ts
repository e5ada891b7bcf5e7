import { defineExtension } from "@inode-gateway/contract";
import { memoryLimitConfig } from "../../memory-limit/config.js";
import { MemoryGuard } from "../../memory-limit/memory-guard.js";
import { memoryLimitMetrics } from "../../memory-limit/metrics.js";
import { systemMemory } from "../../memory-limit/system-memory.js";
import { MemoryLimiterExtension } from "./memory-limiter.js";

/** Refuses requests at the receivers that name it under `middlewares`. */
export const memoryLimiterExtension = defineExtension({
  type: "memory_limiter",
  stability: "development",
  config: memoryLimitConfig,
  metrics: memoryLimitMetrics,
  // Owns no port and no directory: old and new may run side by side.
  exclusive: () => false,
  create: (settings, config) =>
    new MemoryLimiterExtension(settings, new MemoryGuard(settings, config, systemMemory())),
});
