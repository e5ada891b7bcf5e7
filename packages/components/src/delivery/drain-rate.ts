import type { Clock } from "@inode-gateway/contract";

/** Over how long the rate is measured: two windows of this length, the current and the last one. */
const WINDOW_MS = 5_000;
/** Shorter and every sender is back at once. */
const RETRY_AFTER_MS_MIN = 1_000;
/** Longer and an SDK, which has 10 s for an export by default, gives the data up at once. */
const RETRY_AFTER_MS_MAX = 5_000;

/** How fast a queue empties, to tell refused senders when there will be room again. */
export class DrainRate {
  readonly #clock: Clock;
  #windowStartMs: number;
  #current = 0;
  #last = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#windowStartMs = clock.nowMs();
  }

  /** `size` units have left the queue. */
  left(size: number): void {
    this.#turn();
    this.#current += size;
  }

  /** The present rate, over the last 5 to 10 s. */
  unitsPerSecond(): number {
    this.#turn();
    const measuredMs = WINDOW_MS + this.#clock.nowMs() - this.#windowStartMs;
    return (1_000 * (this.#current + this.#last)) / measuredMs;
  }

  /** When `size` units will have left, at the present rate; 1 to 5 s. */
  retryAfterMs(size: number): number {
    const unitsPerMs = this.unitsPerSecond() / 1_000;
    const waitMs = unitsPerMs === 0 ? RETRY_AFTER_MS_MAX : size / unitsPerMs;
    return Math.min(Math.max(waitMs, RETRY_AFTER_MS_MIN), RETRY_AFTER_MS_MAX);
  }

  #turn(): void {
    const elapsedMs = this.#clock.nowMs() - this.#windowStartMs;
    if (elapsedMs < WINDOW_MS) return;
    this.#last = elapsedMs < 2 * WINDOW_MS ? this.#current : 0;
    this.#current = 0;
    this.#windowStartMs = this.#clock.nowMs();
  }
}
