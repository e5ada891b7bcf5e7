import type { Clock, LogFields, Logger } from "@inode-gateway/contract";

/** One line per message in this time: a destination that is down fails thousands of times a second. */
const LOG_INTERVAL_MS = 10_000;

/** A logger for what may happen per batch: one line per interval, with a count of those left out. */
export class LogInterval {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #lines = new Map<string, { nextMs: number; leftOut: number }>();

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** @param message from a small fixed set: each has its own interval */
  log(level: "info" | "warn" | "error", message: string, fields: LogFields): void {
    const nowMs = this.#clock.nowMs();
    const line = this.#lines.get(message) ?? { nextMs: Number.NEGATIVE_INFINITY, leftOut: 0 };
    this.#lines.set(message, line);
    if (nowMs < line.nextMs) {
      line.leftOut++;
      return;
    }
    const leftOut = line.leftOut > 0 ? { similar_left_out: line.leftOut } : {};
    line.nextMs = nowMs + LOG_INTERVAL_MS;
    line.leftOut = 0;
    this.#logger[level](message, { ...fields, ...leftOut });
  }
}
