import type {
  Batch,
  BatchOrigin,
  ComponentSettings,
  Consumer,
  PermanentError,
  Processor,
  RetryableError,
  Signal,
} from "@inode-gateway/contract";
import {
  AttributeList,
  type ItemFate,
  type ItemRewriter,
  rewriteItems,
  type SpliceTarget,
} from "@inode-gateway/otlp";
import { AttributeActions } from "../../attribute-actions/attribute-actions.js";
import { editFailure } from "../../attribute-actions/edit-failure.js";
import type { AttributesConfig, MatchConfig } from "./config.js";
import { ItemMatcher } from "./item-matcher.js";

/** Applies the actions to the attributes of the spans, log records or data points that are included. */
export class AttributesProcessor implements Processor {
  readonly #next: Consumer;
  readonly #editor: ItemEditor;

  /** @throws Error when `include` or `exclude` do not fit the signal */
  constructor(settings: ComponentSettings, config: AttributesConfig, next: Consumer) {
    const signal = settings.signal ?? "traces";
    this.#next = next;
    this.#editor = new ItemEditor(config, signal);
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
      chunks = this.#editor.edit(batch);
    } catch (error) {
      return Promise.reject(editFailure(error));
    }
    return this.#next.consume(chunks === undefined ? batch : batch.withChunks(chunks));
  }
}

class ItemEditor implements ItemRewriter {
  readonly #signal: Signal;
  readonly #include: ItemMatcher | undefined;
  readonly #exclude: ItemMatcher | undefined;
  readonly #actions: AttributeActions;
  readonly #list = new AttributeList();
  #origin: BatchOrigin | undefined;

  constructor(config: AttributesConfig, signal: Signal) {
    this.#signal = signal;
    this.#include = matcher("include", config.include, signal);
    this.#exclude = matcher("exclude", config.exclude, signal);
    this.#actions = new AttributeActions(config.actions);
  }

  /** The new request as chunks; undefined when nothing changed. */
  edit(batch: Batch): Uint8Array[] | undefined {
    this.#origin = batch.origin;
    try {
      return rewriteItems(batch.signal, batch.bytes, this)?.chunks;
    } finally {
      this.#list.unload();
      this.#origin = undefined;
    }
  }

  enterResource(bytes: Uint8Array, start: number, end: number): boolean {
    this.#exclude?.enterResource(bytes, start, end);
    return this.#include?.enterResource(bytes, start, end) ?? true;
  }

  enterScope(bytes: Uint8Array, start: number, end: number): boolean {
    this.#exclude?.enterScope(bytes, start, end);
    return this.#include?.enterScope(bytes, start, end) ?? true;
  }

  enterMetric(bytes: Uint8Array, start: number, end: number): boolean {
    const isExcluded = this.#exclude?.enterMetric(bytes, start, end) ?? false;
    return !isExcluded && (this.#include?.enterMetric(bytes, start, end) ?? true);
  }

  item(
    bytes: Uint8Array,
    start: number,
    end: number,
    attributesField: number,
    target: SpliceTarget,
  ): ItemFate {
    const list = this.#list;
    list.load(bytes, start, end, attributesField);
    if (this.#include !== undefined && !this.#matches(this.#include, bytes, start, end)) {
      return "keep";
    }
    if (this.#exclude !== undefined && this.#matches(this.#exclude, bytes, start, end)) {
      return "keep";
    }
    if (this.#origin !== undefined) this.#actions.apply(list, this.#origin);
    if (!list.isChanged) return "keep";
    list.writeTo(target);
    return "replace";
  }

  #matches(matcher: ItemMatcher, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#signal === "traces") return matcher.matchesSpan(bytes, start, end, this.#list);
    if (this.#signal === "logs") return matcher.matchesLogRecord(bytes, start, end, this.#list);
    return matcher.matchesDataPoint();
  }
}

function matcher(
  key: "include" | "exclude",
  config: MatchConfig | undefined,
  signal: Signal,
): ItemMatcher | undefined {
  if (config === undefined) return undefined;
  try {
    return new ItemMatcher(config, signal);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`\`${key}\`: ${reason}`, { cause: error });
  }
}
