import type { Clock, Timer } from "@inode-gateway/contract";
import type { Destination } from "./destination.js";
import type { BatchConfig } from "./export-config.js";

/**
 * Collects records and sends them in batches, one request at a time.
 *
 * What waits is bounded: of records that come while `max_queue_size` wait, none is taken.
 */
export class RecordBatcher<Item> {
  readonly #destination: Destination;
  readonly #config: BatchConfig;
  readonly #clock: Clock;
  readonly #requestOf: (records: readonly Item[]) => object;
  #records: Item[] = [];
  #timer: Timer | undefined;
  #isSending = false;
  #sending: Promise<void> = Promise.resolve();
  #isStopped = false;

  /** @param requestOf makes the request, in the JSON form of OTLP */
  constructor(
    destination: Destination,
    config: BatchConfig,
    options: { readonly clock: Clock; readonly requestOf: (records: readonly Item[]) => object },
  ) {
    this.#destination = destination;
    this.#config = config;
    this.#clock = options.clock;
    this.#requestOf = options.requestOf;
  }

  start(): Promise<void> {
    return this.#destination.start();
  }

  /** Takes one record, or counts it as dropped. Costs nothing but a place in a list; never throws. */
  add(record: Item): void {
    if (this.#isStopped || this.#records.length >= this.#config.max_queue_size) {
      this.#destination.drop(1, "queue_full");
      return;
    }
    this.#records.push(record);
    if (this.#records.length >= this.#config.max_export_batch_size) this.#send();
    this.#arm();
  }

  /** Sends what waits, as far as there is time until `deadlineMs`, then closes. Safe twice. */
  async shutdown(deadlineMs: number): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#send();
    const isOver = new Promise<void>((resolve) => {
      this.#timer = this.#clock.setTimer(deadlineMs - this.#clock.nowMs(), resolve);
    });
    await Promise.race([this.#sending, isOver]);
    this.#timer?.cancel();
    await this.#destination.shutdown(deadlineMs);
  }

  #arm(): void {
    if (this.#isStopped || this.#records.length === 0) return;
    this.#timer ??= this.#clock.setTimer(this.#config.schedule_delay, () => {
      this.#timer = undefined;
      this.#send();
    });
  }

  #send(): void {
    if (this.#isSending || this.#records.length === 0) return;
    this.#isSending = true;
    this.#sending = this.#sendAll().finally(() => {
      this.#isSending = false;
      this.#arm();
    });
  }

  /** Until less than a whole batch waits; all of it when stopping. */
  async #sendAll(): Promise<void> {
    const { max_export_batch_size: size } = this.#config;
    do {
      const records = this.#records.slice(0, size);
      this.#records = this.#records.slice(size);
      await this.#destination.send(this.#requestOf(records), records.length);
    } while (this.#records.length >= (this.#isStopped ? 1 : size));
  }
}
