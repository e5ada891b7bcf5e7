import type { Signal } from "../signal.js";
import { endOfVarint, readVarint32 } from "../wire/varint.js";
import { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from "../wire/wire-type.js";
import { isOnPath, itemPaths } from "./item-path.js";

/**
 * Number of items in a request: spans, data points (of all five metric types), log records, or
 * samples of profiles.
 *
 * `bytes` must have passed `checkRequest`; of anything else some number is returned, in bounded
 * time. Items are counted as they stand on the wire, also in a metric that carries, against the
 * specification, data of two types.
 */
export function countItems(signal: Signal, bytes: Uint8Array): number {
  return countAtLevel(bytes, 0, bytes.length, itemPaths[signal], 0);
}

/**
 * Number of items inside one message of `level` levels below the request: 1 for ResourceSpans and its
 * like, 2 for ScopeSpans and its like, 3 for a Metric.
 */
export function countItemsWithin(
  signal: Signal,
  level: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  return countAtLevel(bytes, start, end, itemPaths[signal], level);
}

// Hand-tuned: the first byte of a tag and two bytes of a length are read in place, since nearly
// every span has exactly those (2.5 us for 512 spans against 7 us through a cursor).
function countAtLevel(
  bytes: Uint8Array,
  start: number,
  end: number,
  path: readonly number[],
  level: number,
): number {
  const wanted = path[level] ?? 0;
  const isItemLevel = level === path.length - 1;
  let count = 0;
  let offset = start;
  while (offset < end) {
    let tag = bytes[offset] ?? 0;
    if (tag < 0x80) offset++;
    else {
      tag = readVarint32(bytes, offset);
      offset = endOfVarint(bytes, offset);
    }
    const wireType = tag & 7;
    if (wireType === LENGTH_DELIMITED) {
      let length = bytes[offset] ?? 0;
      if (length < 0x80) offset++;
      else {
        length = readVarint32(bytes, offset);
        offset = endOfVarint(bytes, offset + 1);
      }
      const contentEnd = offset + length;
      if (contentEnd > end) return count;
      if (isOnPath(wanted, tag >>> 3)) {
        if (isItemLevel) count++;
        else count += countAtLevel(bytes, offset, contentEnd, path, level + 1);
      }
      offset = contentEnd;
    } else if (wireType === VARINT) offset = endOfVarint(bytes, offset);
    else if (wireType === FIXED64) offset += 8;
    else if (wireType === FIXED32) offset += 4;
    else return count;
  }
  return count;
}
