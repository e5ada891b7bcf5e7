import { formatDuration } from "@inode-gateway/config";
import {
  type Batch,
  type ComponentSettings,
  type Counter,
  RetryableError,
  type Signal,
} from "@inode-gateway/contract";
import { LogInterval } from "../transport/log-interval.js";
import type { DeliveryStep } from "./delivery-step.js";
import { failureFields } from "./failure-fields.js";
import { failedItems, partialSuccessItems, salvagedBatches, sentItems } from "./metrics.js";
import { isAnythingTaken, type Outcome, worstError } from "./outcome.js";

/**
 * Counts what became of every batch and tells the process about the destination's health. Who gets
 * to hear of a refused part, its sender or the ledger, is for whoever asked to decide.
 */
export class Accounting implements DeliveryStep<Outcome> {
  readonly #settings: ComponentSettings;
  readonly #next: DeliveryStep<Outcome>;
  readonly #isKept: (error: unknown) => boolean;
  readonly #log: LogInterval;
  readonly #sent: Counter;
  readonly #failed: Counter;
  readonly #partial: Counter;
  readonly #salvaged: Counter;
  #isFailing = false;

  /** @param isKept whether what failed like this stays in the queue on disk, and so has not failed */
  constructor(
    settings: ComponentSettings,
    signal: Signal,
    next: DeliveryStep<Outcome>,
    isKept: (error: unknown) => boolean = () => false,
  ) {
    const { clock, id: exporter, logger, meter } = settings;
    this.#settings = settings;
    this.#next = next;
    this.#isKept = isKept;
    this.#log = new LogInterval(logger, clock);
    this.#sent = meter.counter(sentItems[signal], { exporter });
    this.#failed = meter.counter(failedItems[signal], { exporter });
    this.#partial = meter.counter(partialSuccessItems, { exporter, data_type: signal });
    this.#salvaged = meter.counter(salvagedBatches, { exporter, data_type: signal });
  }

  async deliver(batch: Batch, deadlineMs: number): Promise<Outcome> {
    let outcome: Outcome;
    try {
      outcome = await this.#next.deliver(batch, deadlineMs);
    } catch (error) {
      this.#failed.add(batch.itemCount);
      throw error;
    }
    this.#sent.add(outcome.deliveredItems);
    if (outcome.partial !== undefined) this.#notePartial(outcome.partial);
    if (outcome.refused.length > 0) this.#noteRefused(outcome);
    else this.#noteSuccess();
    return outcome;
  }

  /**
   * Says that a delivery failed and is tried again: long before it is given up, and a queue hides it
   * from the senders.
   */
  noteRetry(error: RetryableError, waitMs: number): void {
    this.#noteFailure(error);
    const message = "Exporting failed. Will retry the request after interval.";
    this.#log.log("warn", message, {
      ...failureFields(error),
      interval: formatDuration(Math.round(waitMs)),
    });
  }

  #notePartial({ rejectedItems, errorMessage }: NonNullable<Outcome["partial"]>): void {
    const fields = { message: errorMessage, dropped_items: rejectedItems };
    this.#log.log("warn", "Partial success response", fields);
    if (rejectedItems === 0) return;
    this.#partial.add(rejectedItems);
    this.#failed.add(rejectedItems);
  }

  #noteRefused(outcome: Outcome): void {
    for (const { error, items } of outcome.refused) {
      if (!this.#isKept(error)) this.#failed.add(items);
    }
    if (isAnythingTaken(outcome)) {
      this.#salvaged.add(1);
      this.#noteSuccess();
    } else {
      this.#noteFailure(worstError(outcome.refused));
    }
  }

  #noteSuccess(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#settings.reportState("ok");
  }

  // A verdict on the data says nothing about the destination's health; being unreachable does.
  #noteFailure(error: unknown): void {
    if (this.#isFailing || !(error instanceof RetryableError)) return;
    this.#isFailing = true;
    this.#settings.reportState("recoverable_error", error.message);
  }
}
