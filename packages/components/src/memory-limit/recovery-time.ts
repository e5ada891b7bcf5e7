/** Shorter and every sender is back before anything has changed. */
const RETRY_AFTER_MS_MIN = 1_000;
/** Longer and an SDK, which has 10 s for an export by default, gives the data up at once. */
const RETRY_AFTER_MS_MAX = 5_000;
/** Spreads the senders that were refused together, so that they do not return together. */
const SPREAD = 0.25;

/** How fast memory falls, to tell refused senders when there will be room again. */
export class RecoveryTime {
  #peakBytes = 0;
  #peakMs = 0;
  #bytes = 0;
  #nowMs = 0;

  /** Refusing begins. */
  begin(bytes: number, nowMs: number): void {
    this.#peakBytes = bytes;
    this.#peakMs = nowMs;
    this.observe(bytes, nowMs);
  }

  observe(bytes: number, nowMs: number): void {
    if (bytes >= this.#peakBytes) {
      this.#peakBytes = bytes;
      this.#peakMs = nowMs;
    }
    this.#bytes = bytes;
    this.#nowMs = nowMs;
  }

  /** When memory will be down at `targetBytes`, as it fell since its peak; 1 to 5 s. */
  retryAfterMs(targetBytes: number, random: () => number): number {
    const elapsedMs = this.#nowMs - this.#peakMs;
    const bytesPerMs = elapsedMs > 0 ? (this.#peakBytes - this.#bytes) / elapsedMs : 0;
    const excess = Math.max(0, this.#bytes - targetBytes);
    // At its peak nothing is known: the first collection is about to begin, and mostly ends it.
    const waitMs = bytesPerMs > 0 ? excess / bytesPerMs : 2 * RETRY_AFTER_MS_MIN;
    const bounded = Math.min(Math.max(waitMs, RETRY_AFTER_MS_MIN), RETRY_AFTER_MS_MAX);
    return Math.min(Math.ceil(bounded * (1 + SPREAD * random())), RETRY_AFTER_MS_MAX);
  }
}
