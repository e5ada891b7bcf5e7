import type { ByteWriter } from "./byte-writer.js";

const VALUES = new Uint8Array(256).fill(0xff);
const DIGITS = new Uint8Array(16);
for (let value = 0; value < 16; value++) {
  const digit = value.toString(16);
  DIGITS[value] = digit.charCodeAt(0);
  VALUES[digit.charCodeAt(0)] = value;
  VALUES[digit.toUpperCase().charCodeAt(0)] = value;
}

/**
 * Appends the bytes that the hexadecimal digits in `bytes[start, end)` stand for, in either case.
 *
 * There must be an even number of characters; room for half of them must be reserved.
 *
 * @returns whether all of them are hexadecimal digits; if not, the writer is left as it was
 */
export function decodeHexadecimal(
  bytes: Uint8Array,
  start: number,
  end: number,
  writer: ByteWriter,
): boolean {
  const target = writer.bytes;
  let length = writer.length;
  let seen = 0;
  for (let at = start; at < end; at += 2) {
    const high = VALUES[bytes[at] as number] as number;
    const low = VALUES[bytes[at + 1] as number] as number;
    seen |= high | low;
    target[length++] = (high << 4) | low;
  }
  if (seen > 0x0f) return false;
  writer.length = length;
  return true;
}

/**
 * Appends `bytes[start, end)` as hexadecimal digits in lower case.
 *
 * Room for two characters a byte must be reserved.
 */
export function encodeHexadecimal(
  bytes: Uint8Array,
  start: number,
  end: number,
  writer: ByteWriter,
): void {
  const target = writer.bytes;
  let length = writer.length;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    target[length++] = DIGITS[byte >>> 4] as number;
    target[length++] = DIGITS[byte & 0x0f] as number;
  }
  writer.length = length;
}
