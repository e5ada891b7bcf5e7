import type { Clock } from "@inode-gateway/contract";

const TICK_MS = 1_000;

/** Lets the first batches of every second through, and then every n-th. */
export class BatchSampler {
  readonly #clock: Clock;
  readonly #initial: number;
  readonly #thereafter: number;
  #tick = Number.NaN;
  #seen = 0;

  constructor(clock: Clock, initial: number, thereafter: number) {
    this.#clock = clock;
    this.#initial = initial;
    this.#thereafter = thereafter;
  }

  /** Whether the batch that is here now is to be written. */
  next(): boolean {
    const tick = Math.floor(this.#clock.nowMs() / TICK_MS);
    if (tick !== this.#tick) {
      this.#tick = tick;
      this.#seen = 0;
    }
    this.#seen++;
    const after = this.#seen - this.#initial;
    if (after <= 0) return true;
    return this.#thereafter > 0 && after % this.#thereafter === 0;
  }
}
