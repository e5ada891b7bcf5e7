/** The Collector's `logs::sampling`: per message and level, in every tick. */
export interface LogSampling {
  /** Length of a tick. */
  readonly tickMs: number;
  /** Messages written at the beginning of each tick. */
  readonly initial: number;
  /** After those, one in so many is written; 0 writes none. */
  readonly thereafter: number;
}

/** Different messages remembered within one tick; more share one count, so memory stays bounded. */
export const maxSampledMessages = 1024;

const overflowKey = "(more messages than are told apart)";

/** Thins out repeated log messages, so that a flood of errors cannot become a flood of log lines. */
export class LogSampler {
  readonly #sampling: LogSampling;
  readonly #nowMs: () => number;
  readonly #counts = new Map<string, number>();
  #tickEndMs = Number.NEGATIVE_INFINITY;

  constructor(sampling: LogSampling, nowMs: () => number) {
    this.#sampling = sampling;
    this.#nowMs = nowMs;
  }

  /** Whether this message is written; counts it. */
  admits(level: string, message: string): boolean {
    const now = this.#nowMs();
    if (now >= this.#tickEndMs) {
      this.#counts.clear();
      this.#tickEndMs = now + this.#sampling.tickMs;
    }
    let key = `${level} ${message}`;
    if (this.#counts.size >= maxSampledMessages && !this.#counts.has(key)) key = overflowKey;
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    const { initial, thereafter } = this.#sampling;
    if (count <= initial) return true;
    return thereafter > 0 && (count - initial) % thereafter === 0;
  }
}
