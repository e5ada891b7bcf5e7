import {
  type Batch,
  type ComponentSettings,
  type Counter,
  PermanentError,
  RetryableError,
  type Signal,
} from "@inode-gateway/contract";
import { LogInterval } from "../transport/log-interval.js";
import { TIMER_MS_MAX } from "../transport/timer-duration.js";
import { dropReason } from "./accounting.js";
import type { SendingQueueConfig } from "./config.js";
import type { DeliveryStep } from "./delivery-step.js";
import { DrainRate } from "./drain-rate.js";
import { failureFields } from "./failure-fields.js";
import { enqueueFailedItems, queueCapacity, queueSize } from "./metrics.js";

/** How long `block_on_overflow` lets a sender wait that named no deadline of its own. */
export const BLOCK_MS_MAX = 60_000;
/** How long cut-off deliveries may take to report back after everything was closed. */
const AFTERMATH_MS_MAX = 1_000;

interface Entry {
  readonly batch: Batch;
  readonly size: number;
  readonly deadlineMs: number;
  /** Set when somebody waits for the result. */
  readonly settle: ((error: unknown) => void) | undefined;
}

/**
 * A bounded queue in memory with a fixed number of deliveries at the same time, first in first out.
 *
 * Its size includes what is being delivered. With `wait_for_result` it bounds concurrency only, and
 * nothing in it has been acknowledged; without, everything in it is on the ledger as held.
 */
export class SendingQueue implements DeliveryStep<void> {
  readonly #settings: ComponentSettings;
  readonly #signal: Signal;
  readonly #config: SendingQueueConfig;
  readonly #next: DeliveryStep<void>;
  readonly #log: LogInterval;
  readonly #enqueueFailed: Counter;
  readonly #drainRate: DrainRate;
  readonly #waiting: Entry[] = [];
  readonly #blocked = new Set<() => void>();
  #size = 0;
  #running = 0;
  #isStopping = false;
  #whenEmpty: (() => void) | undefined;
  #endObserving: (() => void)[] = [];

  constructor(
    settings: ComponentSettings,
    signal: Signal,
    config: SendingQueueConfig,
    next: DeliveryStep<void>,
  ) {
    this.#settings = settings;
    this.#signal = signal;
    this.#config = config;
    this.#next = next;
    this.#log = new LogInterval(settings.logger, settings.clock);
    this.#drainRate = new DrainRate(settings.clock);
    this.#enqueueFailed = settings.meter.counter(enqueueFailedItems[signal], {
      exporter: settings.id,
    });
  }

  /** Shows the queue on the metrics page. */
  start(): void {
    const { id, meter } = this.#settings;
    const labels = { exporter: id, data_type: this.#signal };
    this.#endObserving = [
      meter.observe(queueSize, labels, () => this.#size),
      meter.observe(queueCapacity, labels, () => this.#config.queue_size),
    ];
  }

  async deliver(batch: Batch, deadlineMs: number): Promise<void> {
    const size = this.#sizeOf(batch);
    if (size > this.#config.queue_size) throw tooLargeForQueue(size, this.#config);
    if (!this.#hasRoom(size) && this.#config.block_on_overflow) {
      await this.#untilRoom(size, deadlineMs);
    }
    if (this.#isStopping) {
      throw new RetryableError("SHUTTING_DOWN", "the exporter is shutting down");
    }
    if (!this.#hasRoom(size)) throw this.#full(batch, size);
    this.#size += size;
    if (this.#config.wait_for_result) {
      await new Promise<void>((resolve, reject) => {
        const settle = (error: unknown) => (error === undefined ? resolve() : reject(error));
        this.#enqueue({ batch, size, deadlineMs, settle });
      });
      return;
    }
    this.#settings.ledger.held(batch.itemCount);
    this.#enqueue({ batch, size, deadlineMs: Number.POSITIVE_INFINITY, settle: undefined });
  }

  /** Takes nothing new, delivers what is queued until `deadlineMs`, then gives up what never began. */
  async drain(deadlineMs: number): Promise<void> {
    this.#isStopping = true;
    for (const wake of [...this.#blocked]) wake();
    await this.#untilEmpty(deadlineMs);
    for (const entry of this.#waiting.splice(0)) {
      this.#finish(entry, new RetryableError("SHUTTING_DOWN", "the exporter was shut down"));
    }
  }

  /** Waits for deliveries that were cut off to report back; call it after the sender was closed. */
  async settle(): Promise<void> {
    await this.#untilEmpty(this.#settings.clock.nowMs() + AFTERMATH_MS_MAX);
    for (const end of this.#endObserving) end();
    this.#endObserving = [];
  }

  #enqueue(entry: Entry): void {
    this.#waiting.push(entry);
    this.#dispatch();
  }

  #dispatch(): void {
    while (this.#running < this.#config.num_consumers) {
      const entry = this.#waiting.shift();
      if (entry === undefined) return;
      this.#running++;
      this.#settings.runInBackground("deliver a queued batch", this.#run(entry));
    }
  }

  async #run(entry: Entry): Promise<void> {
    let failure: unknown;
    try {
      await this.#next.deliver(entry.batch, entry.deadlineMs);
    } catch (error) {
      failure = error ?? new Error("rejected without an error");
    }
    this.#running--;
    this.#finish(entry, failure);
    this.#dispatch();
    if (this.#running === 0) this.#whenEmpty?.();
    // A bug was accounted for like any loss; now the process hears of it too.
    if (failure !== undefined && entry.settle === undefined && isBug(failure)) throw failure;
  }

  #finish({ batch, settle, size }: Entry, failure: unknown): void {
    this.#size -= size;
    this.#drainRate.left(size);
    if (settle !== undefined) {
      settle(failure);
    } else {
      if (failure !== undefined) this.#drop(batch, failure);
      this.#settings.ledger.released(batch.itemCount);
    }
    for (const wake of [...this.#blocked]) wake();
  }

  #drop(batch: Batch, error: unknown): void {
    const isCutOff = this.#isStopping && error instanceof RetryableError;
    this.#settings.ledger.dropped(batch.itemCount, isCutOff ? "shutdown" : dropReason(error));
    const fields = { ...failureFields(error), dropped_items: batch.itemCount };
    this.#log.log("error", "Exporting failed. Dropping data.", fields);
  }

  #hasRoom(size: number): boolean {
    return this.#size + size <= this.#config.queue_size;
  }

  #sizeOf(batch: Batch): number {
    switch (this.#config.sizer) {
      case "requests":
        return 1;
      case "items":
        return batch.itemCount;
      case "bytes":
        return batch.byteLength;
    }
  }

  #full(batch: Batch, size: number): RetryableError {
    this.#enqueueFailed.add(batch.itemCount);
    const { queue_size: capacity, sizer } = this.#config;
    // A tenth of the queue, not the room for one batch: many senders are told at the same time.
    const retryAfterMs = this.#drainRate.retryAfterMs(Math.max(size, capacity / 10));
    const message = `sending queue is full: ${this.#size} ${sizer}, \`queue_size\` is ${capacity}`;
    return new RetryableError("QUEUE_FULL", message, { retryAfterMs });
  }

  async #untilRoom(size: number, deadlineMs: number): Promise<void> {
    const { clock } = this.#settings;
    const giveUpMs = Math.min(deadlineMs, clock.nowMs() + BLOCK_MS_MAX);
    while (!this.#isStopping && !this.#hasRoom(size) && clock.nowMs() < giveUpMs) {
      await this.#waitOnce(this.#blocked, giveUpMs);
    }
  }

  async #untilEmpty(deadlineMs: number): Promise<void> {
    const { clock } = this.#settings;
    const wakers = new Set<() => void>();
    this.#whenEmpty = () => {
      if (this.#waiting.length === 0) for (const wake of [...wakers]) wake();
    };
    while (this.#running > 0 && clock.nowMs() < deadlineMs) {
      await this.#waitOnce(wakers, deadlineMs);
    }
    this.#whenEmpty = undefined;
  }

  #waitOnce(wakers: Set<() => void>, deadlineMs: number): Promise<void> {
    const { clock } = this.#settings;
    return new Promise((resolve) => {
      const remainingMs = Math.max(0, deadlineMs - clock.nowMs());
      const timer = clock.setTimer(Math.min(remainingMs, TIMER_MS_MAX), wake);
      wakers.add(wake);
      function wake(): void {
        timer.cancel();
        wakers.delete(wake);
        resolve();
      }
    });
  }
}

function isBug(error: unknown): boolean {
  return !(error instanceof PermanentError) && !(error instanceof RetryableError);
}

function tooLargeForQueue(size: number, config: SendingQueueConfig): PermanentError {
  const { queue_size: capacity, sizer } = config;
  const message = `element size too large: batch is ${size} ${sizer}, \`queue_size\` is ${capacity}`;
  return new PermanentError("BATCH_TOO_LARGE", message);
}
