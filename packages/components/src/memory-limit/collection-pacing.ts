import type { MemoryLimitConfig } from "./config.js";

/** A collection that frees less than this share has freed nothing. The Collector's share. */
const EFFECTIVE_SHARE = 0.05;

/** A check comes a little before its interval is over; the Collector's allowance. */
const INTERVAL_ALLOWANCE = 0.95;

/** Which limit memory is above. */
export type ExceededLimit = "soft" | "hard";

/**
 * Decides when garbage is worth collecting: often while it helps, ever more seldom while it does not,
 * since what fills the memory may be in use.
 */
export class CollectionPacing {
  readonly #config: MemoryLimitConfig;
  readonly #intervalMs: Record<ExceededLimit, number> = { soft: 0, hard: 0 };
  #lastMs = Number.NEGATIVE_INFINITY;
  #bytesBefore: number | undefined;

  constructor(config: MemoryLimitConfig) {
    this.#config = config;
  }

  /** Whether garbage should be collected now. */
  isDue(limit: ExceededLimit, nowMs: number): boolean {
    const interval = Math.max(
      this.#config[`min_gc_interval_when_${limit}_limited`],
      this.#config.check_interval * INTERVAL_ALLOWANCE,
      this.#intervalMs[limit],
    );
    return nowMs - this.#lastMs >= interval;
  }

  /** A collection was made, when `bytes` were in use. */
  collected(bytes: number, nowMs: number): void {
    this.#lastMs = nowMs;
    this.#bytesBefore = bytes;
  }

  /** What is in use some time after a collection, when freed buffers have gone. */
  observe(bytes: number, isWithinLimits: boolean): void {
    const before = this.#bytesBefore;
    this.#bytesBefore = undefined;
    if (isWithinLimits || (before !== undefined && bytes <= before * (1 - EFFECTIVE_SHARE))) {
      this.#intervalMs.soft = 0;
      this.#intervalMs.hard = 0;
    } else if (before !== undefined) {
      this.#intervalMs.soft = this.#doubled("soft");
      this.#intervalMs.hard = this.#doubled("hard");
    }
  }

  #doubled(limit: ExceededLimit): number {
    const min = this.#config[`min_gc_interval_when_${limit}_limited`];
    const max = this.#config[`max_gc_interval_when_${limit}_limited`];
    if (max === 0) return min;
    const start = Math.max(min, this.#config.check_interval * INTERVAL_ALLOWANCE);
    return Math.min(2 * Math.max(this.#intervalMs[limit], start), Math.max(max, min));
  }
}
