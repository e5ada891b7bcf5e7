import { countItemsWithin } from "../count/count-items.js";
import { isOnPath, itemPaths } from "../count/item-path.js";
import type { Signal } from "../signal.js";
import { FieldCursor } from "../wire/field-cursor.js";
import { LENGTH_DELIMITED } from "../wire/wire-type.js";
import { RequestSplice } from "./request-splice.js";

const SPAN_EVENTS = 1 << 11;
const METRIC_LEVEL = 3;
const SPAN_LEVEL = 3;

/**
 * Decides what of a request goes. Each method sees one message, from `start` (inclusive) to `end`
 * (exclusive), those around it first; true removes it with all that is in it.
 */
export interface DropDecider {
  /** A ResourceSpans, ResourceMetrics or ResourceLogs. */
  dropsResource(start: number, end: number): boolean;
  /** A ScopeSpans, ScopeMetrics or ScopeLogs. */
  dropsScope(start: number, end: number): boolean;
  /** A Span, a Metric or a LogRecord. */
  dropsItem(start: number, end: number): boolean;
  /** A span event (`fieldNumber` 11) or a data point (the field of the metric's type). */
  dropsChild?(start: number, end: number, fieldNumber: number): boolean;
}

/** What is left of a request. */
export interface RemainingRequest {
  /** The new request; ranges of the old one are shared with it. Empty when nothing is left. */
  readonly chunks: readonly Uint8Array[];
  /** Spans, data points or log records that were removed; span events are no items. */
  readonly droppedItems: number;
  /** Messages that were removed by a decision, by what they are. */
  readonly droppedChildren: number;
}

/**
 * Removes Resources, scopes, items, span events and data points from a request, on the wire.
 *
 * A scope or a Resource that loses its last item goes too, and so does a metric that loses its last
 * point; one that was empty before stays. All that stays is kept byte by byte, unknown fields too.
 * Ranges of 2 KiB and more share memory with `bytes`.
 *
 * @param signal any but profiles, whose items cannot be removed one by one
 * @param bytes a request that has passed `checkRequest`
 * @returns undefined when nothing was removed
 */
export function dropItems(
  signal: Exclude<Signal, "profiles">,
  bytes: Uint8Array,
  decider: DropDecider,
): RemainingRequest | undefined {
  return new ItemDropper(signal, bytes, decider).run();
}

class ItemDropper {
  readonly #signal: Exclude<Signal, "profiles">;
  readonly #bytes: Uint8Array;
  readonly #decider: DropDecider;
  readonly #path: readonly number[];
  /** Level of the messages that are removed one by one at the very bottom. */
  readonly #lastLevel: number;
  readonly #splice: RequestSplice;
  #droppedItems = 0;
  #droppedChildren = 0;
  /** Of the walk that ended last: whether it left anything out, and how many children it kept. */
  #isChanged = false;
  #keptChildren = 0;

  constructor(signal: Exclude<Signal, "profiles">, bytes: Uint8Array, decider: DropDecider) {
    this.#signal = signal;
    this.#bytes = bytes;
    this.#decider = decider;
    this.#splice = new RequestSplice(bytes);
    const path = itemPaths[signal];
    const hasChildren = decider.dropsChild !== undefined && signal !== "logs";
    this.#path = signal === "traces" && hasChildren ? [...path, SPAN_EVENTS] : path;
    this.#lastLevel = hasChildren ? this.#path.length : METRIC_LEVEL;
  }

  run(): RemainingRequest | undefined {
    this.#walk(0, 0, this.#bytes.length, 0);
    if (!this.#isChanged) return undefined;
    return {
      chunks: this.#splice.finish(),
      droppedItems: this.#droppedItems,
      droppedChildren: this.#droppedChildren,
    };
  }

  /** Adds what stays of one message of `level` to the splice. */
  #walk(level: number, start: number, end: number, within: number): void {
    const mask = this.#path[level] ?? 0;
    const splice = this.#splice;
    let keptFrom = start;
    let keptChildren = 0;
    let isChanged = false;
    const child = new FieldCursor(this.#bytes, start, end);
    while (child.next()) {
      const { number, fieldStart, contentStart, contentEnd } = child;
      if (child.wireType !== LENGTH_DELIMITED || !isOnPath(mask, number)) continue;
      if (this.#drops(level + 1, contentStart, contentEnd, within)) {
        splice.keep(keptFrom, fieldStart);
        keptFrom = contentEnd;
        isChanged = true;
        this.#countDropped(level + 1, contentStart, contentEnd);
        continue;
      }
      if (level + 1 >= this.#lastLevel) {
        keptChildren++;
        continue;
      }
      splice.keep(keptFrom, fieldStart);
      const mark = splice.open(number);
      this.#walk(level + 1, contentStart, contentEnd, number);
      keptFrom = this.#isChanged ? contentEnd : fieldStart;
      isChanged ||= this.#isChanged;
      const isGone = this.#isChanged && this.#keptChildren === 0 && !this.#staysEmpty(level + 1);
      if (!isGone) keptChildren++;
      if (isGone || !this.#isChanged) splice.undo(mark);
      else splice.close(mark);
    }
    splice.keep(keptFrom, end);
    this.#isChanged = isChanged;
    this.#keptChildren = keptChildren;
  }

  #drops(level: number, start: number, end: number, within: number): boolean {
    if (level === 1) return this.#decider.dropsResource(start, end);
    if (level === 2) return this.#decider.dropsScope(start, end);
    if (level === METRIC_LEVEL) return this.#decider.dropsItem(start, end);
    if (level < this.#lastLevel) return false;
    const fieldNumber = this.#signal === "metrics" ? within : 11;
    return this.#decider.dropsChild?.(start, end, fieldNumber) === true;
  }

  /** A span without events is still a span. */
  #staysEmpty(level: number): boolean {
    return this.#signal === "traces" && level === SPAN_LEVEL;
  }

  #countDropped(level: number, start: number, end: number): void {
    const itemLevel = itemPaths[this.#signal].length;
    if (level > METRIC_LEVEL) this.#droppedChildren++;
    if (level === itemLevel) this.#droppedItems++;
    else if (level < itemLevel) {
      this.#droppedItems += countItemsWithin(this.#signal, level, this.#bytes, start, end);
    }
  }
}
