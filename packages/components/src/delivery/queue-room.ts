import { type Batch, type Clock, PermanentError, RetryableError } from "@inode-gateway/contract";
import type { SendingQueueConfig } from "./config.js";
import { DrainRate } from "./drain-rate.js";

/** How long `block_on_overflow` lets a sender wait that named no deadline of its own. */
export const BLOCK_MS_MAX = 60_000;

/** A sender that waits for room. */
interface Claim {
  readonly size: number;
  /** Ends the wait; `isTaken` says whether the room is the sender's from now on. */
  readonly end: (isTaken: boolean) => void;
}

/** How much a sending queue holds and may hold, in the unit of its `sizer`. */
export class QueueRoom {
  readonly #clock: Clock;
  readonly #config: SendingQueueConfig;
  readonly #drainRate: DrainRate;
  /** In the order in which they came; the receivers bound how many senders there are. */
  readonly #claims = new Set<Claim>();
  #size = 0;
  #isClosed = false;

  constructor(clock: Clock, config: SendingQueueConfig) {
    this.#clock = clock;
    this.#config = config;
    this.#drainRate = new DrainRate(clock);
  }

  /** What the queue holds, in flight included. */
  get size(): number {
    return this.#size;
  }

  /** Units that left a second, over the last 5 to 10 s. */
  get drainRate(): number {
    return this.#drainRate.unitsPerSecond();
  }

  sizeOf({ byteLength, itemCount }: Pick<Batch, "byteLength" | "itemCount">): number {
    switch (this.#config.sizer) {
      case "requests":
        return 1;
      case "items":
        return itemCount;
      case "bytes":
        return byteLength;
    }
  }

  /** Takes room without asking, for what an earlier process left. */
  take(size: number): void {
    this.#size += size;
  }

  /** Takes room. @returns why it could not be taken; undefined when it is */
  tryTake(size: number): PermanentError | RetryableError | undefined {
    const refusal = this.refusal(size);
    if (refusal === undefined) this.take(size);
    return refusal;
  }

  /** @param hasLeft whether it was in the queue, so that the drain rate counts it */
  give(size: number, hasLeft: boolean): void {
    this.#size -= size;
    if (hasLeft) this.#drainRate.left(size);
    this.#serve();
  }

  /** Why something of this size is not taken now; undefined when it is. */
  refusal(size: number): PermanentError | RetryableError | undefined {
    const { queue_size: capacity, sizer } = this.#config;
    if (size > capacity) {
      const message = `element size too large: batch is ${size} ${sizer}, \`queue_size\` is ${capacity}`;
      return new PermanentError("BATCH_TOO_LARGE", message);
    }
    if (this.#isClosed) return shuttingDown();
    if (this.#hasRoom(size)) return undefined;
    return this.#full(size);
  }

  /**
   * Takes room, and waits for it until the deadline of whoever waits or {@link BLOCK_MS_MAX}. First come,
   * first served: nobody overtakes a large batch with a small one.
   *
   * @returns why it could not be taken; undefined when it is
   */
  async claim(
    size: number,
    deadlineMs: number,
  ): Promise<PermanentError | RetryableError | undefined> {
    const refusal = this.refusal(size);
    if (refusal !== undefined && refusal.code !== "QUEUE_FULL") return refusal;
    if (refusal === undefined && this.#claims.size === 0) {
      this.take(size);
      return undefined;
    }
    const waitMs = Math.min(deadlineMs - this.#clock.nowMs(), BLOCK_MS_MAX);
    if (waitMs > 0 && (await this.#isServed(size, waitMs))) return undefined;
    return this.#isClosed ? shuttingDown() : this.#full(size);
  }

  /** Refuses everything from now on, also those who wait. */
  close(): void {
    this.#isClosed = true;
    for (const { end } of [...this.#claims]) end(false);
  }

  #isServed(size: number, waitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(waitMs, () => {
        claim.end(false);
        // Those behind may need less.
        this.#serve();
      });
      const claim: Claim = {
        size,
        end: (isTaken) => {
          timer.cancel();
          this.#claims.delete(claim);
          resolve(isTaken);
        },
      };
      this.#claims.add(claim);
    });
  }

  #serve(): void {
    for (const { end, size } of this.#claims) {
      if (!this.#hasRoom(size)) return;
      this.take(size);
      end(true);
    }
  }

  #full(size: number): RetryableError {
    const { queue_size: capacity, sizer } = this.#config;
    // A tenth of the queue, not the room for one batch: many senders are told at the same time.
    const retryAfterMs = this.#drainRate.retryAfterMs(Math.max(size, capacity / 10));
    const message = `sending queue is full: ${this.#size} ${sizer}, \`queue_size\` is ${capacity}`;
    return new RetryableError("QUEUE_FULL", message, { retryAfterMs });
  }

  #hasRoom(size: number): boolean {
    return this.#size + size <= this.#config.queue_size;
  }
}

function shuttingDown(): RetryableError {
  return new RetryableError("SHUTTING_DOWN", "the exporter is shutting down");
}
