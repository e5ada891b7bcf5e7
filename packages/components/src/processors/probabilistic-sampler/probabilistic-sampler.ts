import type {
  Batch,
  ComponentSettings,
  Consumer,
  Ledger,
  PermanentError,
  Processor,
  RetryableError,
} from "@inode-gateway/contract";
import { type ItemRewriter, type RewrittenRequest, rewriteItems } from "@inode-gateway/otlp";
import { editFailure } from "../../attribute-actions/edit-failure.js";
import type { ProbabilisticSamplerConfig } from "./config.js";
import { LogSampler } from "./log-sampler.js";
import { DecisionCounters } from "./metrics.js";
import { SpanSampler } from "./span-sampler.js";

/** Why the items that are not sampled end here. */
const REASON = "sampled_out";

const accepted = Promise.resolve();

/** Something that decides over items and holds on to the last request until it is told to let go. */
interface ItemSampler extends ItemRewriter {
  unload(): void;
}

/**
 * Keeps a share of the items. The decision needs nothing but the item, so that replicas agree.
 *
 * What is dropped is counted when the rest was accepted: a request that is refused comes again.
 */
export class ProbabilisticSampler implements Processor {
  readonly #next: Consumer;
  readonly #ledger: Ledger;
  readonly #counters: DecisionCounters;
  readonly #sampler: ItemSampler;

  constructor(settings: ComponentSettings, config: ProbabilisticSamplerConfig, next: Consumer) {
    this.#next = next;
    this.#ledger = settings.ledger;
    this.#counters = new DecisionCounters(settings);
    this.#sampler =
      settings.signal === "logs"
        ? new LogSampler(config, this.#counters)
        : new SpanSampler(config, this.#counters);
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }

  refusal(batch?: Batch): PermanentError | RetryableError | undefined {
    return this.#next.refusal?.(batch);
  }

  consume(batch: Batch): Promise<void> {
    let sampled: RewrittenRequest | undefined;
    try {
      sampled = rewriteItems(batch.signal, batch.bytes, this.#sampler);
    } catch (error) {
      return Promise.reject(editFailure(error));
    } finally {
      this.#sampler.unload();
      this.#counters.flush();
    }
    if (sampled === undefined) return this.#next.consume(batch);
    const { chunks, droppedItems } = sampled;
    const left = batch.itemCount - droppedItems;
    if (left > 0) return this.#forward(batch.withChunks(chunks, left), droppedItems);
    this.#ledger.dropped(droppedItems, REASON);
    return accepted;
  }

  async #forward(batch: Batch, droppedItems: number): Promise<void> {
    await this.#next.consume(batch);
    if (droppedItems > 0) this.#ledger.dropped(droppedItems, REASON);
  }
}
