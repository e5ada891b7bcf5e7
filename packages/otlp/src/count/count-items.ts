import type { Signal } from "../signal.js";
import { endOfVarint, readVarint32 } from "../wire/varint.js";
import { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from "../wire/wire-type.js";

// From the request down to the item: which fields to enter, one bit per field number. Requests,
// Resources and scopes are numbered alike in all signals; a metric has its points one level further
// down, in a field of its type; a profile is counted by its samples.
const levels: Readonly<Record<Signal, readonly number[]>> = {
  traces: [1 << 1, 1 << 2, 1 << 2],
  logs: [1 << 1, 1 << 2, 1 << 2],
  metrics: [1 << 1, 1 << 2, 1 << 2, (1 << 5) | (1 << 7) | (1 << 9) | (1 << 10) | (1 << 11), 1 << 1],
  profiles: [1 << 1, 1 << 2, 1 << 2, 1 << 2],
};

/**
 * Number of items in a request: spans, data points (of all five metric types), log records, or
 * samples of profiles.
 *
 * `bytes` must have passed `checkRequest`; of anything else some number is returned, in bounded
 * time. Items are counted as they stand on the wire, also in a metric that carries, against the
 * specification, data of two types.
 */
export function countItems(signal: Signal, bytes: Uint8Array): number {
  return countAtLevel(bytes, 0, bytes.length, levels[signal], 0);
}

/** Number of data points in one Metric message, from `start` (inclusive) to `end` (exclusive). */
export function countDataPoints(bytes: Uint8Array, start: number, end: number): number {
  return countAtLevel(bytes, start, end, levels.metrics, 3);
}

/** Number of items in one of a request's ResourceSpans, ResourceMetrics, ... */
export function countItemsOfResource(
  signal: Signal,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  return countAtLevel(bytes, start, end, levels[signal], 1);
}

// Hand-tuned: the first byte of a tag and two bytes of a length are read in place, since nearly
// every span has exactly those (2.5 us for 512 spans against 7 us through a cursor).
function countAtLevel(
  bytes: Uint8Array,
  start: number,
  end: number,
  fieldsByLevel: readonly number[],
  level: number,
): number {
  const wanted = fieldsByLevel[level] ?? 0;
  const isItemLevel = level === fieldsByLevel.length - 1;
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
      const number = tag >>> 3;
      if (number < 32 && ((wanted >>> number) & 1) === 1) {
        if (isItemLevel) count++;
        else count += countAtLevel(bytes, offset, contentEnd, fieldsByLevel, level + 1);
      }
      offset = contentEnd;
    } else if (wireType === VARINT) offset = endOfVarint(bytes, offset);
    else if (wireType === FIXED64) offset += 8;
    else if (wireType === FIXED32) offset += 4;
    else return count;
  }
  return count;
}
