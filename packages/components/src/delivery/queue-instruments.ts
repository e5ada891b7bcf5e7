import type { ComponentSettings, Counter, Histogram, Signal } from "@inode-gateway/contract";
import * as metrics from "./metrics.js";
import type { QueueEntry } from "./queue-entry.js";

/** What a sending queue shows of itself at any moment. */
interface QueueGauges {
  readonly size: () => number;
  readonly capacity: () => number;
  readonly drainRate: () => number;
  /** The entry that came first; undefined when there is none. */
  readonly oldest: () => Pick<QueueEntry, "enqueuedAtMs"> | undefined;
}

/** What a sending queue counts and shows on the metrics page. */
export class QueueInstruments {
  readonly enqueueFailed: Counter;
  readonly enqueueSize: Histogram;
  readonly enqueueBytes: Histogram;
  readonly sendSize: Histogram;
  readonly sendBytes: Histogram;
  readonly #settings: ComponentSettings;
  readonly #signal: Signal;
  #ends: (() => void)[] = [];

  constructor(settings: ComponentSettings, signal: Signal) {
    const { id, meter } = settings;
    const labels = { exporter: id };
    this.#settings = settings;
    this.#signal = signal;
    this.enqueueFailed = meter.counter(metrics.enqueueFailedItems[signal], labels);
    this.enqueueSize = meter.histogram(metrics.enqueueSize, labels);
    this.enqueueBytes = meter.histogram(metrics.enqueueBytes, labels);
    this.sendSize = meter.histogram(metrics.sendSize, labels);
    this.sendBytes = meter.histogram(metrics.sendBytes, labels);
  }

  /** Shows the queue until {@link end}. */
  observe({ capacity, drainRate, oldest, size }: QueueGauges): void {
    const { clock, id, meter } = this.#settings;
    const ageSeconds = () => {
      const nowMs = clock.nowMs();
      return (nowMs - (oldest()?.enqueuedAtMs ?? nowMs)) / 1_000;
    };
    const labels = { exporter: id, data_type: this.#signal };
    this.#ends = [
      meter.observe(metrics.queueSize, labels, size),
      meter.observe(metrics.queueCapacity, labels, capacity),
      meter.observe(metrics.queueDrainRate, labels, drainRate),
      meter.observe(metrics.queueOldestAge, labels, ageSeconds),
    ];
  }

  end(): void {
    for (const end of this.#ends.splice(0)) end();
  }
}
