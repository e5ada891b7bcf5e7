import { isOnPath, itemPaths } from "../count/item-path.js";
import type { Signal } from "../signal.js";
import { FieldCursor } from "../wire/field-cursor.js";
import { LENGTH_DELIMITED } from "../wire/wire-type.js";
import { RequestSplice, type SpliceTarget } from "./request-splice.js";

/** What becomes of an item: it stays as it is, is left out, or consists of what the rewriter added. */
export type ItemFate = "keep" | "drop" | "replace";

/**
 * Decides over the items of a request. Ranges are messages within `bytes`, `start` inclusive, `end`
 * exclusive; `bytes` is the whole request and must not be modified.
 */
export interface ItemRewriter {
  /** A ResourceSpans and its like begins; false leaves everything in it as it is. Default true. */
  enterResource?(bytes: Uint8Array, start: number, end: number): boolean;
  /** A ScopeSpans and its like begins; false leaves everything in it as it is. Default true. */
  enterScope?(bytes: Uint8Array, start: number, end: number): boolean;
  /** A Metric begins; false leaves everything in it as it is. Default true. */
  enterMetric?(bytes: Uint8Array, start: number, end: number): boolean;
  /**
   * One span, log record or data point.
   *
   * @param attributesField number of the field that holds its attributes
   * @param target takes the new content, from front to back, of an item that is replaced
   */
  item(
    bytes: Uint8Array,
    start: number,
    end: number,
    attributesField: number,
    target: SpliceTarget,
  ): ItemFate;
}

/** A request after its items were rewritten. */
export interface RewrittenRequest {
  /** None of them empty; long unchanged ranges share memory with the request they were made from. */
  readonly chunks: Uint8Array[];
  readonly droppedItems: number;
}

const METRIC_DATA_LEVEL = 3;

// By the number of the field of a Metric that holds the data.
const dataPointAttributes: Readonly<Record<number, number>> = { 5: 7, 7: 7, 9: 9, 10: 1, 11: 7 };

const itemAttributes: Readonly<Record<Signal, number>> = {
  traces: 9,
  logs: 6,
  metrics: 7,
  profiles: 0,
};

/**
 * Rewrites the spans, data points or log records of a request, one after another in wire order.
 *
 * A scope, Resource or metric of which the last item is dropped goes with it. Everything else stays
 * byte by byte, also fields that OTLP does not define. The samples of profiles have no attributes of
 * their own: profiles are returned unchanged.
 *
 * @param bytes a request that has passed `checkRequest`
 * @returns undefined when every item was kept
 */
export function rewriteItems(
  signal: Signal,
  bytes: Uint8Array,
  rewriter: ItemRewriter,
): RewrittenRequest | undefined {
  if (signal === "profiles") return undefined;
  const walk = new ItemWalk(signal, bytes, rewriter);
  return walk.run();
}

class ItemWalk {
  readonly #bytes: Uint8Array;
  readonly #rewriter: ItemRewriter;
  readonly #splice: RequestSplice;
  readonly #path: readonly number[];
  #attributesField: number;
  #droppedItems = 0;

  constructor(signal: Signal, bytes: Uint8Array, rewriter: ItemRewriter) {
    this.#bytes = bytes;
    this.#rewriter = rewriter;
    this.#splice = new RequestSplice(bytes);
    this.#path = itemPaths[signal];
    this.#attributesField = itemAttributes[signal];
  }

  run(): RewrittenRequest | undefined {
    const change = this.#walk(0, this.#bytes.length, 0);
    if (change === "none") return undefined;
    return { chunks: this.#splice.finish(), droppedItems: this.#droppedItems };
  }

  /** Rewrites the children of one message; "emptied" when it lost its last one. */
  #walk(start: number, end: number, level: number): "none" | "some" | "emptied" {
    const mask = this.#path[level] ?? 0;
    const isItemLevel = level === this.#path.length - 1;
    const isMetricLevel = level === METRIC_DATA_LEVEL;
    let isChanged = false;
    let hasLost = false;
    let remaining = 0;
    let keptUntil = start;
    const child = new FieldCursor(this.#bytes, start, end);
    while (child.next()) {
      if (child.wireType !== LENGTH_DELIMITED || !isOnPath(mask, child.number)) continue;
      const { fieldStart, contentEnd, number } = child;
      remaining++;
      this.#splice.keep(keptUntil, fieldStart);
      keptUntil = fieldStart;
      const mark = this.#splice.open(number);
      if (isMetricLevel) this.#attributesField = dataPointAttributes[number] ?? 0;
      const fate = isItemLevel
        ? this.#item(child.contentStart, contentEnd)
        : this.#container(child.contentStart, contentEnd, level + 1);
      if (fate === "keep") {
        this.#splice.undo(mark);
        continue;
      }
      isChanged = true;
      keptUntil = contentEnd;
      if (fate === "replace") {
        this.#splice.close(mark);
        continue;
      }
      this.#splice.undo(mark);
      hasLost = true;
      remaining--;
    }
    this.#splice.keep(keptUntil, end);
    if (hasLost && remaining === 0 && level > 0) return "emptied";
    return isChanged ? "some" : "none";
  }

  #item(start: number, end: number): ItemFate {
    const fate = this.#rewriter.item(this.#bytes, start, end, this.#attributesField, this.#splice);
    if (fate === "drop") this.#droppedItems++;
    return fate;
  }

  #container(start: number, end: number, level: number): ItemFate {
    if (!this.#enter(start, end, level)) return "keep";
    switch (this.#walk(start, end, level)) {
      case "none":
        return "keep";
      case "some":
        return "replace";
      case "emptied":
        return "drop";
    }
  }

  #enter(start: number, end: number, level: number): boolean {
    const rewriter = this.#rewriter;
    if (level === 1) return rewriter.enterResource?.(this.#bytes, start, end) ?? true;
    if (level === 2) return rewriter.enterScope?.(this.#bytes, start, end) ?? true;
    if (level === METRIC_DATA_LEVEL) return rewriter.enterMetric?.(this.#bytes, start, end) ?? true;
    return true;
  }
}
