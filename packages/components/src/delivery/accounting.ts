import { formatDuration } from "@inode-gateway/config";
import {
  type Batch,
  type ComponentSettings,
  type Counter,
  PermanentError,
  RetryableError,
  type Signal,
} from "@inode-gateway/contract";
import { LogInterval } from "../transport/log-interval.js";
import type { DeliveryStep } from "./delivery-step.js";
import { failureFields } from "./failure-fields.js";
import { failedItems, partialSuccessItems, salvagedBatches, sentItems } from "./metrics.js";
import type { Outcome } from "./salvage.js";

/** Counts what became of every batch, tells the ledger about losses and the process about health. */
export class Accounting implements DeliveryStep<void> {
  readonly #settings: ComponentSettings;
  readonly #next: DeliveryStep<Outcome>;
  readonly #log: LogInterval;
  readonly #sent: Counter;
  readonly #failed: Counter;
  readonly #partial: Counter;
  readonly #salvaged: Counter;
  #isFailing = false;

  constructor(settings: ComponentSettings, signal: Signal, next: DeliveryStep<Outcome>) {
    const { clock, id: exporter, logger, meter } = settings;
    this.#settings = settings;
    this.#next = next;
    this.#log = new LogInterval(logger, clock);
    this.#sent = meter.counter(sentItems[signal], { exporter });
    this.#failed = meter.counter(failedItems[signal], { exporter });
    this.#partial = meter.counter(partialSuccessItems, { exporter, data_type: signal });
    this.#salvaged = meter.counter(salvagedBatches, { exporter, data_type: signal });
  }

  async deliver(batch: Batch, deadlineMs: number): Promise<void> {
    let outcome: Outcome;
    try {
      outcome = await this.#next.deliver(batch, deadlineMs);
    } catch (error) {
      this.#failed.add(batch.itemCount);
      this.#noteFailure(error);
      throw error;
    }
    this.#sent.add(outcome.deliveredItems);
    this.#noteSuccess();
    if (outcome.partial !== undefined) this.#notePartial(outcome.partial);
    if (outcome.refused.length > 0) this.#noteRefused(outcome);
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
    this.#settings.ledger.dropped(rejectedItems, "backend_partial_success");
  }

  #noteRefused({ refused }: Outcome): void {
    this.#salvaged.add(1);
    for (const { error, items } of refused) {
      this.#failed.add(items);
      this.#settings.ledger.dropped(items, dropReason(error));
      const fields = { ...failureFields(error), dropped_items: items };
      this.#log.log("error", "Exporting failed. Dropping data.", fields);
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

/** The ledger's reason for data that an exporter gave up. */
export function dropReason(error: unknown): string {
  if (error instanceof PermanentError) return error.code.toLowerCase();
  return error instanceof RetryableError ? "retries_exhausted" : "internal_error";
}
