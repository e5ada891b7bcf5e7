import type { ComponentSettings } from "@inode-gateway/contract";
import type { MemoryLimitConfig } from "./config.js";
import { MemoryGuard } from "./memory-guard.js";
import type { ProcessMemory } from "./process-memory.js";

interface Owned extends Pick<ComponentSettings, "clock" | "meter"> {
  readonly guard: MemoryGuard;
}

/**
 * One guard for all instances of a component, such as those of a processor in several pipelines.
 *
 * Instances of one component are given the same configuration object.
 */
export class SharedGuards {
  readonly #memory: ProcessMemory;
  readonly #guards = new WeakMap<MemoryLimitConfig, Owned>();

  constructor(memory: ProcessMemory) {
    this.#memory = memory;
  }

  /**
   * The guard of a component. One with another clock or meter is not shared: it belongs to another
   * process, or to instances that were made to check a configuration and never start.
   */
  guardOf(settings: ComponentSettings, config: MemoryLimitConfig): MemoryGuard {
    const known = this.#guards.get(config);
    const { clock, meter } = settings;
    if (known?.clock === clock && known.meter === meter) return known.guard;
    const guard = new MemoryGuard(settings, config, this.#memory);
    this.#guards.set(config, { clock, meter, guard });
    return guard;
  }
}
