import {
  type Batch,
  type ComponentSettings,
  type Exporter,
  type Host,
  type PermanentError,
  RetryableError,
  type Signal,
} from "@inode-gateway/contract";
import type { PartialSuccess } from "@inode-gateway/otlp";
import { LogInterval } from "../transport/log-interval.js";
import { Accounting } from "./accounting.js";
import { Attempt } from "./attempt.js";
import type { RetryConfig, SendingQueueConfig } from "./config.js";
import type { Sender } from "./delivery-step.js";
import { failureFields } from "./failure-fields.js";
import { Losses } from "./losses.js";
import { inFlightRequests } from "./metrics.js";
import { Retry } from "./retry.js";
import { Salvage } from "./salvage.js";
import { SendingQueue } from "./sending-queue.js";
import { AFTERMATH_MS_MAX, sendUntilMs } from "./stop-times.js";
import { Wakers } from "./wakers.js";

/** How an exporter delivers; what is left out is off. */
export interface DeliveryPolicy {
  /** Longest time of one attempt; 0 or absent leaves it to whoever waits. */
  readonly timeoutMs?: number;
  readonly retry?: RetryConfig | undefined;
  readonly queue?: SendingQueueConfig | undefined;
}

/**
 * The exporter that every exporter is: its own part is a {@link Sender}, the rest is the same.
 *
 * Without a queue, `consume` resolves when the destination has the batch, and the sender's deadline
 * ends the wait. With one, it resolves when the batch is queued, and only `timeout` and the retry
 * budget bound the delivery.
 */
export class DeliveringExporter implements Exporter {
  readonly #settings: ComponentSettings;
  readonly #signal: Signal;
  readonly #sender: Sender;
  readonly #attempt: Attempt;
  readonly #retry: Retry<PartialSuccess | undefined> | undefined;
  readonly #queue: SendingQueue | undefined;
  readonly #queueConfig: SendingQueueConfig | undefined;
  readonly #accounting: Accounting;
  readonly #losses: Losses;
  readonly #answered: Wakers;
  readonly #log: LogInterval;
  #endObserving: (() => void) | undefined;
  /** Senders that wait for a delivery without a queue. */
  #waitingCount = 0;
  #isStopping = false;

  constructor(settings: ComponentSettings, sender: Sender, policy: DeliveryPolicy = {}) {
    const { clock, logger, random, signal } = settings;
    if (signal === undefined) throw new TypeError("an exporter is made for one signal");
    this.#settings = settings;
    this.#signal = signal;
    this.#sender = sender;
    this.#log = new LogInterval(logger, clock);
    this.#attempt = new Attempt(clock, sender, policy.timeoutMs ?? 0);
    this.#retry = policy.retry?.enabled
      ? new Retry(clock, random, policy.retry, this.#attempt, (error, waitMs) =>
          accounting.noteRetry(error, waitMs),
        )
      : undefined;
    const isSenderWaiting = policy.queue?.enabled !== true || policy.queue.wait_for_result;
    const salvage = new Salvage(this.#retry ?? this.#attempt, isSenderWaiting);
    const accounting = new Accounting(
      settings,
      signal,
      salvage,
      (error) => this.#queue?.keeps(error) === true,
    );
    this.#accounting = accounting;
    this.#losses = new Losses(settings);
    this.#answered = new Wakers(clock);
    this.#queueConfig = policy.queue;
    this.#queue = policy.queue?.enabled
      ? new SendingQueue(settings, signal, policy.queue, accounting, this.#losses)
      : undefined;
  }

  async start(host: Host): Promise<void> {
    const { id, meter } = this.#settings;
    const labels = { exporter: id, data_type: this.#signal };
    await this.#sender.start(host);
    this.#endObserving = meter.observe(inFlightRequests, labels, () => this.#attempt.running);
    await this.#queue?.start(host);
  }

  refusal(batch?: Batch): PermanentError | RetryableError | undefined {
    if (this.#queue !== undefined) return this.#queue.refusal(batch);
    if (!this.#isStopping) return undefined;
    return new RetryableError("SHUTTING_DOWN", "the exporter is shutting down");
  }

  async consume(batch: Batch): Promise<void> {
    const { deadlineMs } = batch.origin;
    try {
      if (this.#queue !== undefined) await this.#queue.deliver(batch, deadlineMs);
      else await this.#deliverAtOnce(batch, deadlineMs);
    } catch (error) {
      const fields = { ...failureFields(error), rejected_items: batch.itemCount };
      this.#log.log("error", "Exporting failed. Rejecting data.", fields);
      throw error;
    }
  }

  async shutdown(deadlineMs: number): Promise<void> {
    this.#isStopping = true;
    this.#retry?.stop();
    const { clock } = this.#settings;
    const untilMs = sendUntilMs(this.#queueConfig, clock, deadlineMs);
    await this.#queue?.drain(untilMs);
    this.#attempt.endAt(untilMs);
    try {
      await this.#sender.close(untilMs);
    } finally {
      await this.#queue?.settle();
      // Senders that wait without a queue are told that it is over before the exporter is gone.
      const answeredMs = clock.nowMs() + AFTERMATH_MS_MAX;
      await this.#answered.waitFor(() => this.#waitingCount === 0, answeredMs);
      this.#endObserving?.();
      this.#endObserving = undefined;
    }
  }

  async #deliverAtOnce(batch: Batch, deadlineMs: number): Promise<void> {
    this.#waitingCount++;
    try {
      this.#losses.settle(await this.#accounting.deliver(batch, deadlineMs));
    } finally {
      this.#waitingCount--;
      if (this.#waitingCount === 0) this.#answered.wakeAll();
    }
  }
}
