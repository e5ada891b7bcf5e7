import { defineProcessor } from "@inode-gateway/contract";
import { memoryLimitConfig } from "../../memory-limit/config.js";
import type { ProcessMemory } from "../../memory-limit/process-memory.js";
import { SharedGuards } from "../../memory-limit/shared-guards.js";
import { systemMemory } from "../../memory-limit/system-memory.js";
import { MemoryLimiter } from "./memory-limiter.js";
import { memoryLimiterMetrics } from "./metrics.js";

/** Refuses telemetry while the process is close to its memory limit. */
export const memoryLimiterProcessor = defineMemoryLimiter(systemMemory());

/** The same with another memory, for simulations. */
export function defineMemoryLimiter(memory: ProcessMemory) {
  const guards = new SharedGuards(memory);
  return defineProcessor({
    type: "memory_limiter",
    signals: ["traces", "metrics", "logs", "profiles"],
    stability: "development",
    config: memoryLimitConfig,
    metrics: memoryLimiterMetrics,
    create: (settings, config, next) =>
      new MemoryLimiter(settings, guards.guardOf(settings, config), next),
  });
}
