import { isUtf8 } from "node:buffer";

const BLOCK_BYTES = 4096;

/**
 * The offset of the first byte that is not part of a valid UTF-8 character, or the length if all
 * are. For finding a fault that is known to be there: `isUtf8` alone tells faster that there is none.
 */
export function endOfValidUtf8(bytes: Uint8Array): number {
  let start = 0;
  while (start < bytes.length) {
    let end = Math.min(start + BLOCK_BYTES, bytes.length);
    // A block ends where a character begins; invalid bytes may make that its own start.
    while (end < bytes.length && end > start && isContinuation(bytes[end])) end--;
    if (end === start || !isUtf8(bytes.subarray(start, end))) break;
    start = end;
  }
  let at = start;
  while (at < bytes.length) {
    const end = at + characterLength(bytes[at] as number);
    if (end > bytes.length || !isUtf8(bytes.subarray(at, end))) return at;
    at = end;
  }
  return at;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function characterLength(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}
