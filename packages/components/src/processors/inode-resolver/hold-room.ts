import type { Clock } from "@inode-gateway/contract";

/** Bounds of a {@link HoldRoom}. */
export interface HoldLimits {
  readonly timeoutMs: number;
  readonly bytesMax: number;
  readonly batchesMax: number;
}

/** Why a stay ended. */
type HoldEnd = "woken" | "expired" | "shutdown";

/** A batch's stay in the room. */
export interface HoldStay {
  /** Resolves at the next {@link wake}, or with the reason for which the batch must go on. */
  nextEvent(): Promise<HoldEnd>;
  /** Lets `nextEvent` resolve; also one that is only called afterwards. */
  wake(): void;
  /** Ends the stay. Must be called, once. */
  leave(): void;
}

/**
 * A sender that names a deadline must still have time for the way to the backend, so that at most
 * half of what it has left is spent on waiting.
 */
const DEADLINE_SHARE = 0.5;

/** Where batches wait for a mapping: bounded in time, in bytes and in number. */
export class HoldRoom {
  readonly #clock: Clock;
  readonly #limits: HoldLimits;
  readonly #stays = new Set<Stay>();
  #bytes = 0;
  #isClosed = false;

  constructor(clock: Clock, limits: HoldLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Bytes of all waiting batches. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Number of waiting batches. */
  get batches(): number {
    return this.#stays.size;
  }

  /** How long a batch with this deadline may wait; 0 when it may not. */
  allowedMs(deadlineMs: number): number {
    if (this.#isClosed) return 0;
    const leftMs = deadlineMs - this.#clock.nowMs();
    return Math.max(0, Math.min(this.#limits.timeoutMs, leftMs * DEADLINE_SHARE));
  }

  /** Takes a batch in for `waitMs`; undefined when the room is full or closed. */
  enter(bytes: number, waitMs: number): HoldStay | undefined {
    if (this.#isClosed || this.#stays.size >= this.#limits.batchesMax) return undefined;
    if (bytes > this.#limits.bytesMax - this.#bytes) return undefined;
    const stay = new Stay(() => {
      if (this.#stays.delete(stay)) this.#bytes -= bytes;
    });
    stay.expireAfter(this.#clock, waitMs);
    this.#stays.add(stay);
    this.#bytes += bytes;
    return stay;
  }

  /** Sends everybody out and lets nobody in any more. */
  close(): void {
    this.#isClosed = true;
    for (const stay of [...this.#stays]) stay.end("shutdown");
  }
}

class Stay implements HoldStay {
  readonly #onLeave: () => void;
  #cancelTimer: (() => void) | undefined;
  #ended: Exclude<HoldEnd, "woken"> | undefined;
  #isWoken = false;
  #resolve: ((event: HoldEnd) => void) | undefined;

  constructor(onLeave: () => void) {
    this.#onLeave = onLeave;
  }

  expireAfter(clock: Clock, waitMs: number): void {
    const timer = clock.setTimer(waitMs, () => this.end("expired"));
    this.#cancelTimer = () => timer.cancel();
  }

  nextEvent(): Promise<HoldEnd> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#settle();
    });
  }

  wake(): void {
    this.#isWoken = true;
    this.#settle();
  }

  end(reason: Exclude<HoldEnd, "woken">): void {
    this.#ended ??= reason;
    this.#settle();
  }

  leave(): void {
    this.#cancelTimer?.();
    this.#onLeave();
  }

  #settle(): void {
    const event = this.#isWoken ? "woken" : this.#ended;
    if (event === undefined || this.#resolve === undefined) return;
    const resolve = this.#resolve;
    this.#resolve = undefined;
    this.#isWoken = false;
    resolve(event);
  }
}
