import {
  type Batch,
  type ComponentSettings,
  type Consumer,
  PermanentError,
  RetryableError,
} from "@inode-gateway/contract";
import { LogInterval } from "../../transport/log-interval.js";

/** A timer of Node fires at once when it is set for longer than this. */
const TIMER_MS_MAX = 2_147_483_647;

/** One batch on its way out. */
export interface Outgoing {
  readonly batch: Batch;
  /** Called once, when the batch was passed on, failed or given up. */
  readonly onDone: () => void;
}

/**
 * Passes batches on, a bounded number at a time, in order.
 *
 * Its length is bounded by whoever fills it. What the next consumer refuses is lost, since its
 * senders were acknowledged long ago: counted by reason and logged.
 */
export class SendQueue {
  readonly #settings: ComponentSettings;
  readonly #next: Consumer;
  readonly #concurrencyMax: number;
  readonly #log: LogInterval;
  #waiting: Outgoing[] = [];
  /** Index in `#waiting` of the first that still waits: shifting a long array copies it. */
  #head = 0;
  #inFlight = 0;
  #onIdle: (() => void) | undefined;

  constructor(settings: ComponentSettings, next: Consumer, concurrencyMax: number) {
    this.#settings = settings;
    this.#next = next;
    this.#concurrencyMax = concurrencyMax;
    this.#log = new LogInterval(settings.logger, settings.clock);
  }

  push(outgoing: Outgoing): void {
    this.#waiting.push(outgoing);
    this.#pump();
  }

  /** Waits until everything has left, by `deadlineMs`; what has not even begun to leave is dropped. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#inFlight > 0) await this.#idle(deadlineMs);
    for (let outgoing = this.#take(); outgoing !== undefined; outgoing = this.#take()) {
      const { itemCount } = outgoing.batch;
      this.#settings.ledger.released(itemCount);
      this.#settings.ledger.dropped(itemCount, "shutdown");
      outgoing.onDone();
    }
  }

  #pump(): void {
    while (this.#inFlight < this.#concurrencyMax) {
      const outgoing = this.#take();
      if (outgoing === undefined) return;
      this.#inFlight++;
      this.#settings.runInBackground("batch send", this.#send(outgoing));
    }
  }

  #take(): Outgoing | undefined {
    const outgoing = this.#waiting[this.#head];
    if (outgoing === undefined) return undefined;
    this.#head++;
    if (this.#head === this.#waiting.length) {
      this.#waiting = [];
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return outgoing;
  }

  async #send({ batch, onDone }: Outgoing): Promise<void> {
    // From here on the items are in flight to the next consumer, which the engine counts.
    this.#settings.ledger.released(batch.itemCount);
    try {
      await this.#next.consume(batch);
    } catch (error) {
      this.#drop(batch, error);
    } finally {
      this.#inFlight--;
      onDone();
      this.#pump();
      if (this.#inFlight === 0) this.#onIdle?.();
    }
  }

  /** @throws the error itself when it is a bug of ours, for `runInBackground` to report */
  #drop(batch: Batch, error: unknown): void {
    const isDeliveryError = error instanceof PermanentError || error instanceof RetryableError;
    const reason = isDeliveryError ? error.code.toLowerCase() : "internal_error";
    this.#settings.ledger.dropped(batch.itemCount, reason);
    const fields = { reason, dropped_items: batch.itemCount, error };
    this.#log.log("error", "dropped a batch that the next component refused", fields);
    if (!isDeliveryError) throw error;
  }

  #idle(deadlineMs: number): Promise<void> {
    const { clock } = this.#settings;
    return new Promise((resolve) => {
      const delayMs = Math.min(deadlineMs - clock.nowMs(), TIMER_MS_MAX);
      const timer = clock.setTimer(delayMs, resolve);
      this.#onIdle = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
