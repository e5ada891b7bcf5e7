import type { ComponentSettings } from "@inode-gateway/contract";
import type { MemoryLimitConfig } from "./config.js";
import { MemoryGuard } from "./memory-guard.js";
import type { ProcessMemory } from "./process-memory.js";

/**
 * One guard for all instances of a component, such as those of a processor in several pipelines.
 *
 * Instances of one component are given the same configuration object.
 */
export class SharedGuards {
  readonly #memory: ProcessMemory;
  readonly #guards = new WeakMap<MemoryLimitConfig, { clock: unknown; guard: MemoryGuard }>();

  constructor(memory: ProcessMemory) {
    this.#memory = memory;
  }

  /** The guard of a component; one on another clock belongs to another process and is not shared. */
  guardOf(settings: ComponentSettings, config: MemoryLimitConfig): MemoryGuard {
    const known = this.#guards.get(config);
    if (known?.clock === settings.clock) return known.guard;
    const guard = new MemoryGuard(settings, config, this.#memory);
    this.#guards.set(config, { clock: settings.clock, guard });
    return guard;
  }
}
