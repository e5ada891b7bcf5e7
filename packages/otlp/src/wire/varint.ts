/**
 * Value of the varint at `offset`, cut to its low 32 bits, unsigned: what tags and lengths are.
 *
 * The bytes must have passed the framing check; past the end of `bytes` zeros are read.
 */
export function readVarint32(bytes: Uint8Array, offset: number): number {
  let byte = bytes[offset] ?? 0;
  if (byte < 0x80) return byte;
  let value = byte & 0x7f;
  byte = bytes[offset + 1] ?? 0;
  value |= (byte & 0x7f) << 7;
  if (byte < 0x80) return value;
  byte = bytes[offset + 2] ?? 0;
  value |= (byte & 0x7f) << 14;
  if (byte < 0x80) return value;
  byte = bytes[offset + 3] ?? 0;
  value |= (byte & 0x7f) << 21;
  if (byte < 0x80) return value;
  return (value | ((bytes[offset + 4] ?? 0) << 28)) >>> 0;
}

/** Offset of the first byte after the varint at `offset`. */
export function endOfVarint(bytes: Uint8Array, offset: number): number {
  let end = offset;
  while ((bytes[end] ?? 0) >= 0x80) end++;
  return end + 1;
}

/**
 * Value of a varint of kind int64 (or int32, bool, enum: they are written the same way).
 *
 * A number when it is a safe integer, a bigint when it is not; so the common case stays cheap.
 */
export function readInt64(bytes: Uint8Array, offset: number): number | bigint {
  return fromHalves(highHalf(bytes, offset) | 0, readVarint32(bytes, offset));
}

/** Value of a varint of kind uint64; a number when safe, else a bigint. */
export function readUint64(bytes: Uint8Array, offset: number): number | bigint {
  return fromHalves(highHalf(bytes, offset), readVarint32(bytes, offset));
}

/** Joins the two halves of a 64-bit integer; a number when safe, else a bigint. */
export function fromHalves(high: number, low: number): number | bigint {
  const value = high * 0x1_0000_0000 + low;
  return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) + BigInt(low);
}

/** Number of bytes that a varint of this value takes; `value` is an unsigned 32-bit integer. */
export function varint32Length(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

/**
 * Writes an unsigned 32-bit integer as a varint.
 *
 * @returns the offset after it
 */
export function writeVarint32(bytes: Uint8Array, offset: number, value: number): number {
  let rest = value;
  let end = offset;
  while (rest >= 0x80) {
    bytes[end++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[end] = rest;
  return end + 1;
}

// Bits 32 to 63. The fifth byte holds bits 28 to 34, the tenth only bit 63.
function highHalf(bytes: Uint8Array, offset: number): number {
  let high = 0;
  for (let index = 0; index < 10; index++) {
    const byte = bytes[offset + index] ?? 0;
    if (index === 4) high = (byte & 0x7f) >>> 4;
    if (index > 4) high |= (byte & 0x7f) << (7 * index - 32);
    if (byte < 0x80) break;
  }
  return high >>> 0;
}
