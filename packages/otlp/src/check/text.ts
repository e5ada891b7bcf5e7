import { isUtf8 } from "node:buffer";

/**
 * Whether the bytes are valid UTF-8.
 *
 * Nearly all text in telemetry is ASCII and short, and eight bytes at a time are looked at
 * without leaving JavaScript; only other text goes to Node's validator, which costs 0.1 us a call.
 *
 * @param view of all of `bytes`
 */
export function isText(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
  return isAscii(bytes, view, start, end) || isUtf8(bytes.subarray(start, end));
}

/** Whether no byte has its highest bit set. */
export function isAscii(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
  let seen = 0;
  if (end - start < 8) {
    for (let offset = start; offset < end; offset++) seen |= bytes[offset] ?? 0;
    return seen < 0x80;
  }
  const lastEight = end - 8;
  for (let offset = start; offset < lastEight; offset += 8) {
    seen |= view.getInt32(offset, true) | view.getInt32(offset + 4, true);
  }
  // Overlaps what was read before, unless the length is a multiple of eight.
  seen |= view.getInt32(lastEight, true) | view.getInt32(lastEight + 4, true);
  return (seen & 0x8080_8080) === 0;
}
