import {
  type Batch,
  type Clock,
  type Consumer,
  type PermanentError,
  RetryableError,
  type Timer,
} from "@inode-gateway/contract";

/**
 * How long requests wait while a reload stops a component and starts its successor: well below the 10 s
 * after which SDKs give up, so that a sender gets an answer it can act on.
 */
export const PAUSE_LIMIT_MS = 5_000;

/** How long a sender waits that was refused because a pause took too long. */
const RETRY_AFTER_MS = 1_000;

interface Pause {
  /** Resolves at its end, also when it has taken too long. */
  readonly ended: Promise<void>;
  readonly end: () => void;
  readonly limit: Timer;
  isTooLong: boolean;
}

/**
 * The consumer that a receiver gets for one signal: leads into the pipelines of the configuration that
 * is in force, and can be made to wait while they are exchanged.
 *
 * What waits is bounded by the receiver, which counts its requests in flight, and in time by
 * {@link PAUSE_LIMIT_MS}.
 */
export class Gate implements Consumer {
  readonly #clock: Clock;
  #target: Consumer;
  #pause: Pause | undefined;

  constructor(target: Consumer, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
  }

  /** Where batches go that come from now on. */
  get target(): Consumer {
    return this.#target;
  }

  consume(batch: Batch): Promise<void> {
    return this.#pause === undefined
      ? this.#target.consume(batch)
      : this.#consumeAfter(this.#pause, batch);
  }

  refusal(batch?: Batch): PermanentError | RetryableError | undefined {
    if (this.#pause === undefined) return this.#target.refusal?.(batch);
    return this.#pause.isTooLong ? pausedTooLong() : undefined;
  }

  /** Lets what comes wait until {@link resume}; a pause that is under way goes on. */
  pause(): void {
    if (this.#pause !== undefined) return;
    let end = () => undefined as unknown;
    const ended = new Promise<void>((resolve) => {
      end = () => resolve();
    });
    const limit = this.#clock.setTimer(PAUSE_LIMIT_MS, () => {
      pause.isTooLong = true;
      end();
    });
    const pause: Pause = { ended, end: () => void end(), limit, isTooLong: false };
    this.#pause = pause;
  }

  /** Sends what waits and what comes to `target`. */
  resume(target: Consumer): void {
    const pause = this.#pause;
    this.#target = target;
    this.#pause = undefined;
    pause?.limit.cancel();
    pause?.end();
  }

  async #consumeAfter(pause: Pause, batch: Batch): Promise<void> {
    await pause.ended;
    if (pause.isTooLong) throw pausedTooLong();
    // Another reload may have begun meanwhile.
    await this.consume(batch);
  }
}

function pausedTooLong(): RetryableError {
  return new RetryableError(
    "SHUTTING_DOWN",
    `the configuration is being reloaded, which has taken more than ${PAUSE_LIMIT_MS / 1_000} s; ` +
      "send again",
    { retryAfterMs: RETRY_AFTER_MS },
  );
}
