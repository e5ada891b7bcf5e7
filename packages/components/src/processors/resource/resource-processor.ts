import type {
  Batch,
  BatchOrigin,
  ComponentSettings,
  Consumer,
  Counter,
  PermanentError,
  Processor,
  RetryableError,
} from "@inode-gateway/contract";
import { AttributeList, MessageSplice, replaceResources } from "@inode-gateway/otlp";
import { AttributeActions } from "../../attribute-actions/attribute-actions.js";
import { editFailure } from "../../attribute-actions/edit-failure.js";
import { ResourceCache } from "../../resource-cache/resource-cache.js";
import type { ResourceConfig } from "./config.js";
import { cacheHits, cacheMisses } from "./metrics.js";

/** Distinct Resources that are remembered: SDKs send the same bytes in every request. */
const CACHE_ENTRIES_MAX = 16_384;

/** Bytes of everything remembered, bookkeeping included: about 13,000 Resources of the usual size. */
const CACHE_BYTES_MAX = 16_777_216;

const RESOURCE_ATTRIBUTES = 1;
const EXPECTED_GROWTH_BYTES = 256;

/**
 * Applies the actions to every Resource; items are not looked at.
 *
 * A Resource that was seen before costs a look into the cache, unless an action reads the sender's
 * context: then the same Resource may become another one with every request.
 */
export class ResourceProcessor implements Processor {
  readonly #next: Consumer;
  readonly #actions: AttributeActions;
  readonly #list = new AttributeList();
  readonly #cache: ResourceCache<undefined>;
  readonly #hits: Counter;
  readonly #misses: Counter;

  constructor(settings: ComponentSettings, config: ResourceConfig, next: Consumer) {
    this.#next = next;
    this.#actions = new AttributeActions(config.attributes);
    const limits = { maxEntries: CACHE_ENTRIES_MAX, maxBytes: CACHE_BYTES_MAX };
    this.#cache = new ResourceCache(limits, settings.random());
    const labels = { processor: settings.id, otel_signal: settings.signal ?? "" };
    this.#hits = settings.meter.counter(cacheHits, labels);
    this.#misses = settings.meter.counter(cacheMisses, labels);
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
    let chunks: Uint8Array[] | undefined;
    try {
      chunks = replaceResources(batch.bytes, (bytes, start, end) =>
        this.#replace(bytes, start, end, batch.origin),
      );
    } catch (error) {
      return Promise.reject(editFailure(error));
    } finally {
      this.#list.unload();
    }
    return this.#next.consume(chunks === undefined ? batch : batch.withChunks(chunks));
  }

  #replace(
    bytes: Uint8Array,
    start: number,
    end: number,
    origin: BatchOrigin,
  ): Uint8Array | undefined {
    if (this.#actions.readsContext) {
      this.#misses.add(1);
      return this.#edit(bytes, start, end, origin);
    }
    const known = this.#cache.find(bytes, start, end);
    if (known !== undefined) {
      this.#hits.add(1);
      return known.replacement;
    }
    this.#misses.add(1);
    const replacement = this.#edit(bytes, start, end, origin);
    const expiresAtMs = Number.POSITIVE_INFINITY;
    const result = { replacement, value: undefined, expiresAtMs };
    this.#cache.put(bytes, start, end, result, undefined);
    return replacement;
  }

  #edit(
    bytes: Uint8Array,
    start: number,
    end: number,
    origin: BatchOrigin,
  ): Uint8Array | undefined {
    this.#list.load(bytes, start, end, RESOURCE_ATTRIBUTES);
    this.#actions.apply(this.#list, origin);
    if (!this.#list.isChanged) return undefined;
    const splice = new MessageSplice(bytes, end - start + EXPECTED_GROWTH_BYTES);
    this.#list.writeTo(splice);
    return splice.finish();
  }
}
