import {
  type Batch,
  type ComponentSettings,
  type Consumer,
  type Counter,
  PermanentError,
  type Processor,
  type RetryableError,
} from "@inode-gateway/contract";
import { dropItems, type RemainingRequest } from "@inode-gateway/otlp";
import type { Condition } from "../../ottl/compile-condition.js";
import { ConditionDecider, type ConditionSignal } from "../../ottl/condition-decider.js";
import { EvaluationError } from "../../ottl/condition-error.js";
import type { FilterConfig } from "./config.js";
import { ConditionFailures } from "./events.js";
import { itemsFiltered, spanEventsFiltered } from "./metrics.js";
import { conditionsOf } from "./placed-conditions.js";

/** Drops spans, span events, metrics, data points and log records that match a condition. */
export class FilterProcessor implements Processor {
  readonly #settings: ComponentSettings;
  readonly #next: Consumer;
  readonly #signal: ConditionSignal | undefined;
  readonly #decider: ConditionDecider | undefined;
  readonly #filtered: Counter | undefined;
  readonly #spanEvents: Counter;

  constructor(settings: ComponentSettings, config: FilterConfig, next: Consumer) {
    this.#settings = settings;
    this.#next = next;
    const { signal, meter } = settings;
    const labels = { filter: settings.id };
    this.#spanEvents = meter.counter(spanEventsFiltered, labels);
    if (signal === undefined || signal === "profiles") return;
    const failures = new ConditionFailures(settings, config.error_mode);
    const report = (condition: Condition, error: EvaluationError) =>
      failures.report(condition, error);
    const conditions = conditionsOf(signal, config, report);
    this.#signal = signal;
    this.#filtered = meter.counter(itemsFiltered[signal], labels);
    if (conditions.size > 0) this.#decider = new ConditionDecider(signal, conditions);
  }

  async start(): Promise<void> {
    this.#settings.reportState("ok");
  }

  async shutdown(): Promise<void> {
    this.#decider?.release();
  }

  /** What the next component says; it is not shown the batch, of which less may come to it. */
  refusal(batch?: Batch): PermanentError | RetryableError | undefined {
    return this.#next.refusal?.(this.#decider === undefined ? batch : undefined);
  }

  async consume(batch: Batch): Promise<void> {
    const remaining = this.#filter(batch);
    if (remaining === undefined) {
      await this.#next.consume(batch);
      return;
    }
    const { chunks, droppedItems, droppedChildren } = remaining;
    const keptItems = batch.itemCount - droppedItems;
    if (keptItems > 0) await this.#next.consume(batch.withChunks(chunks, keptItems));
    // Counted only now: what the next component refuses will come again as a whole.
    if (droppedItems > 0) this.#settings.ledger.dropped(droppedItems, "filtered");
    this.#filtered?.add(droppedItems);
    if (this.#signal === "traces") this.#spanEvents.add(droppedChildren);
  }

  #filter(batch: Batch): RemainingRequest | undefined {
    const decider = this.#decider;
    if (decider === undefined || this.#signal === undefined) return undefined;
    const { bytes } = batch;
    decider.enter(bytes);
    try {
      return dropItems(this.#signal, bytes, decider);
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      throw new PermanentError("BATCH_MALFORMED", error.message, { cause: error });
    } finally {
      decider.release();
    }
  }
}
