import { formatDuration } from "@inode-gateway/config";
import { type Batch, type Clock, RetryableError } from "@inode-gateway/contract";
import { TIMER_MS_MAX } from "../transport/timer-duration.js";
import type { RetryConfig } from "./config.js";
import type { DeliveryStep } from "./delivery-step.js";

/**
 * Tries a delivery again while it may succeed, with exponential waits.
 *
 * A delay that the destination asked for is the least a wait takes. A wait that would end after
 * `max_elapsed_time`, or after the deadline of whoever waits, is not begun: the error comes at once.
 */
export class Retry<Result> implements DeliveryStep<Result> {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #config: RetryConfig;
  readonly #next: DeliveryStep<Result>;
  readonly #onRetry: (error: RetryableError, waitMs: number) => void;
  readonly #sleepers = new Set<() => void>();
  #isStopped = false;

  /** @param onRetry called before each wait */
  constructor(
    clock: Clock,
    random: () => number,
    config: RetryConfig,
    next: DeliveryStep<Result>,
    onRetry: (error: RetryableError, waitMs: number) => void = () => undefined,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#config = config;
    this.#next = next;
    this.#onRetry = onRetry;
  }

  async deliver(batch: Batch, deadlineMs: number): Promise<Result> {
    const { max_elapsed_time: maxElapsedMs, max_interval, multiplier } = this.#config;
    const startMs = this.#clock.nowMs();
    const giveUpMs = maxElapsedMs === 0 ? Number.POSITIVE_INFINITY : startMs + maxElapsedMs;
    let intervalMs = this.#config.initial_interval;
    for (;;) {
      try {
        return await this.#next.deliver(batch, deadlineMs);
      } catch (error) {
        if (!(error instanceof RetryableError) || this.#isStopped) throw error;
        const waitMs = Math.max(this.#randomized(intervalMs), error.retryAfterMs ?? 0);
        const wakeMs = this.#clock.nowMs() + waitMs;
        if (wakeMs > giveUpMs) throw noMoreRetries(error, maxElapsedMs);
        if (wakeMs > deadlineMs) throw error;
        this.#onRetry(error, waitMs);
        await this.#sleep(waitMs);
        // Stopped while asleep: the queue drains with one try per batch, and this one had it.
        if (this.#isStopped) throw error;
        intervalMs = Math.min(intervalMs * multiplier, max_interval);
      }
    }
  }

  /** Ends all waits; from now on every delivery is tried once. */
  stop(): void {
    this.#isStopped = true;
    for (const wake of [...this.#sleepers]) wake();
  }

  #randomized(intervalMs: number): number {
    const spread = this.#config.randomization_factor * intervalMs;
    return intervalMs - spread + 2 * spread * this.#random();
  }

  #sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(Math.min(delayMs, TIMER_MS_MAX), wake);
      const sleepers = this.#sleepers;
      sleepers.add(wake);
      function wake(): void {
        timer.cancel();
        sleepers.delete(wake);
        resolve();
      }
    });
  }
}

function noMoreRetries(error: RetryableError, maxElapsedMs: number): RetryableError {
  const message = `no more retries left within \`max_elapsed_time\` ${formatDuration(maxElapsedMs)}: ${error.message}`;
  return new RetryableError(error.code, message, {
    cause: error,
    retryAfterMs: error.retryAfterMs,
    ...(error.backendStatus === undefined ? {} : { backendStatus: error.backendStatus }),
  });
}
