import { type Batch, type Clock, RetryableError } from "@inode-gateway/contract";
import type { PartialSuccess } from "@inode-gateway/otlp";
import type { DeliveryStep, Sender } from "./delivery-step.js";

/** One try to send a batch, bounded by the exporter's `timeout`. */
export class Attempt implements DeliveryStep<PartialSuccess | undefined> {
  readonly #clock: Clock;
  readonly #sender: Sender;
  readonly #timeoutMs: number;
  #running = 0;
  #endMs = Number.POSITIVE_INFINITY;

  /** @param timeoutMs 0 leaves an attempt to the deadline of whoever waits for it */
  constructor(clock: Clock, sender: Sender, timeoutMs: number) {
    this.#clock = clock;
    this.#sender = sender;
    this.#timeoutMs = timeoutMs;
  }

  /** Attempts under way at this moment. */
  get running(): number {
    return this.#running;
  }

  /** From `endMs` on nothing is sent any more: the parts of a batch that is taken apart end too. */
  endAt(endMs: number): void {
    this.#endMs = endMs;
  }

  async deliver(batch: Batch, deadlineMs: number): Promise<PartialSuccess | undefined> {
    const nowMs = this.#clock.nowMs();
    if (deadlineMs <= nowMs) {
      throw new RetryableError("DEADLINE_EXCEEDED", "the sender's deadline passed before sending");
    }
    if (nowMs >= this.#endMs) {
      throw new RetryableError("SHUTTING_DOWN", "the exporter was shut down");
    }
    const ownDeadlineMs = this.#timeoutMs > 0 ? nowMs + this.#timeoutMs : Number.POSITIVE_INFINITY;
    this.#running++;
    try {
      return await this.#sender.send(batch, Math.min(deadlineMs, ownDeadlineMs));
    } finally {
      this.#running--;
    }
  }
}
