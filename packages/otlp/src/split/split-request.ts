import { countItemsWithin } from "../count/count-items.js";
import { isOnPath, itemPaths } from "../count/item-path.js";
import type { Signal } from "../signal.js";
import { FieldCursor } from "../wire/field-cursor.js";
import { LENGTH_DELIMITED } from "../wire/wire-type.js";
import { PartBuilder } from "./part-builder.js";

const METRIC_LEVEL = 3;

/** How large a part of a split request may be; without a limit there is no bound. */
export interface SplitLimits {
  /** Items in one part, at least 1. */
  readonly maxItems?: number;
  /** Protobuf bytes of one part, at least 1. */
  readonly maxBytes?: number;
}

/** One of the requests that a request was split into. */
export interface RequestPart {
  /** Consecutive ranges of the request; they share memory with the bytes it was split from. */
  readonly chunks: readonly Uint8Array[];
  readonly itemCount: number;
  /** Above `maxBytes` only when the part is one item that is too large by itself. */
  readonly byteLength: number;
}

/**
 * Splits a request into parts that keep the limits, in the order of the items.
 *
 * Parts are filled as far as they go. A Resource or scope that does not fit is divided, and each of
 * its parts carries its Resource, its scope, the schema URLs and all unknown fields. A metric is
 * divided between its data points only when it does not fit into a part of its own. What cannot be
 * divided and is larger than `maxBytes` becomes a part by itself: its `byteLength` tells. Profiles
 * are never split, because all of them point into the one dictionary of their request.
 *
 * @param bytes a request that has passed `checkRequest`; the parts share its memory
 * @returns at least one part; exactly one, with `bytes` itself, when the request keeps the limits
 * @throws RangeError when a limit is not a number of at least 1
 */
export function splitRequest(
  signal: Signal,
  bytes: Uint8Array,
  limits: SplitLimits,
): RequestPart[] {
  const maxItems = requireLimit("maxItems", limits.maxItems);
  const maxBytes = requireLimit("maxBytes", limits.maxBytes);
  const itemCount = countItemsWithin(signal, 0, bytes, 0, bytes.length);
  const fits = itemCount <= maxItems && bytes.length <= maxBytes;
  if (fits || signal === "profiles") {
    return [{ chunks: [bytes], itemCount, byteLength: bytes.length }];
  }
  const builder = new PartBuilder(
    bytes,
    envelopeOf(bytes, 0, bytes.length, itemPaths[signal][0] ?? 0),
    { maxItems, maxBytes },
  );
  divide(signal, bytes, 0, bytes.length, 0, builder);
  return builder.finish();
}

/** Gives the children of one message to the builder, whole where they fit. */
function divide(
  signal: Signal,
  bytes: Uint8Array,
  start: number,
  end: number,
  level: number,
  builder: PartBuilder,
): void {
  const path = itemPaths[signal];
  const mask = path[level] ?? 0;
  const isItemLevel = level === path.length - 1;
  const child = new FieldCursor(bytes, start, end);
  while (child.next()) {
    if (child.wireType !== LENGTH_DELIMITED || !isOnPath(mask, child.number)) continue;
    const { fieldStart, contentStart, contentEnd, number } = child;
    const itemCount = isItemLevel
      ? 1
      : countItemsWithin(signal, level + 1, bytes, contentStart, contentEnd);
    if (builder.addIfItFits(fieldStart, contentEnd, itemCount)) continue;
    const isWorthKeeping = level + 1 === METRIC_LEVEL && !isItemLevel;
    const isIndivisible = isItemLevel || itemCount === 0;
    if (
      isIndivisible ||
      (isWorthKeeping && builder.fitsAlone(contentEnd - fieldStart, itemCount))
    ) {
      builder.addToNextPart(fieldStart, contentEnd, itemCount);
      continue;
    }
    builder.open(number, envelopeOf(bytes, contentStart, contentEnd, path[level + 1] ?? 0));
    divide(signal, bytes, contentStart, contentEnd, level + 1, builder);
    builder.close();
  }
}

/** Ranges of all fields of a message that do not lead to items, as start, end, start, end, ... */
function envelopeOf(bytes: Uint8Array, start: number, end: number, mask: number): number[] {
  const ranges: number[] = [];
  const field = new FieldCursor(bytes, start, end);
  while (field.next()) {
    if (field.wireType === LENGTH_DELIMITED && isOnPath(mask, field.number)) continue;
    if (ranges.at(-1) === field.fieldStart) ranges[ranges.length - 1] = field.contentEnd;
    else ranges.push(field.fieldStart, field.contentEnd);
  }
  return ranges;
}

function requireLimit(name: string, limit: number | undefined): number {
  const value = limit ?? Number.POSITIVE_INFINITY;
  if (value >= 1) return value;
  throw new RangeError(`\`${name}\` is ${value}, must be at least 1`);
}
