import { type Batch, type Clock, PermanentError, RetryableError } from "@inode-gateway/contract";
import type { SendingQueueConfig } from "./config.js";
import { DrainRate } from "./drain-rate.js";
import { Wakers } from "./wakers.js";

/** How long `block_on_overflow` lets a sender wait that named no deadline of its own. */
export const BLOCK_MS_MAX = 60_000;

/** How much a sending queue holds and may hold, in the unit of its `sizer`. */
export class QueueRoom {
  readonly #clock: Clock;
  readonly #config: SendingQueueConfig;
  readonly #drainRate: DrainRate;
  readonly #blocked: Wakers;
  #size = 0;
  #isClosed = false;

  constructor(clock: Clock, config: SendingQueueConfig) {
    this.#clock = clock;
    this.#config = config;
    this.#drainRate = new DrainRate(clock);
    this.#blocked = new Wakers(clock);
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

  take(size: number): void {
    this.#size += size;
  }

  /** @param hasLeft whether it was in the queue, so that the drain rate counts it */
  give(size: number, hasLeft: boolean): void {
    this.#size -= size;
    if (hasLeft) this.#drainRate.left(size);
    this.#blocked.wakeAll();
  }

  /** Why something of this size is not taken now; undefined when it is. */
  refusal(size: number): PermanentError | RetryableError | undefined {
    const { queue_size: capacity, sizer } = this.#config;
    if (size > capacity) {
      const message = `element size too large: batch is ${size} ${sizer}, \`queue_size\` is ${capacity}`;
      return new PermanentError("BATCH_TOO_LARGE", message);
    }
    if (this.#isClosed) return new RetryableError("SHUTTING_DOWN", "the exporter is shutting down");
    if (this.#hasRoom(size)) return undefined;
    // A tenth of the queue, not the room for one batch: many senders are told at the same time.
    const retryAfterMs = this.#drainRate.retryAfterMs(Math.max(size, capacity / 10));
    const message = `sending queue is full: ${this.#size} ${sizer}, \`queue_size\` is ${capacity}`;
    return new RetryableError("QUEUE_FULL", message, { retryAfterMs });
  }

  /** Waits for room, until the deadline of whoever waits or {@link BLOCK_MS_MAX}. */
  async untilRoom(size: number, deadlineMs: number): Promise<void> {
    const giveUpMs = Math.min(deadlineMs, this.#clock.nowMs() + BLOCK_MS_MAX);
    const isPossible = size <= this.#config.queue_size;
    while (
      isPossible &&
      !this.#isClosed &&
      !this.#hasRoom(size) &&
      this.#clock.nowMs() < giveUpMs
    ) {
      await this.#blocked.wait(giveUpMs);
    }
  }

  /** Refuses everything from now on, also those who wait. */
  close(): void {
    this.#isClosed = true;
    this.#blocked.wakeAll();
  }

  #hasRoom(size: number): boolean {
    return this.#size + size <= this.#config.queue_size;
  }
}
