/**
 * A 64-bit integer as sign and magnitude, without BigInt (which costs about seven times as much).
 *
 * Both halves hold 32 unsigned bits in a signed number, which the engine keeps unboxed.
 */
export class Integer64 {
  isNegative = false;
  high = 0;
  low = 0;

  /** Turns a magnitude with a sign into two's complement; `isNegative` then only repeats the sign. */
  toTwosComplement(): void {
    if (!this.isNegative) return;
    this.low = -this.low | 0;
    this.high = (this.low === 0 ? -this.high : ~this.high) | 0;
  }
}

const BILLION = 1_000_000_000;
const TWO_TO_16 = 0x1_0000;
const TWO_TO_32 = 0x1_0000_0000;
/** Digits of the largest unsigned 64-bit integer, 18,446,744,073,709,551,615. */
const MAX_DIGITS = 20;

// The digits of a number in scientific notation are gathered here, without point and exponent.
const gathered = new Uint8Array(MAX_DIGITS);

/**
 * Reads a decimal integer of at most 64 bits from `bytes[start, end)`.
 *
 * Accepts what protobuf's JSON mapping accepts: a sign, leading zeros, and the fractional and
 * exponent forms whose value is an integer (`1.0`, `1e3`, `15e-1` is none).
 *
 * @returns whether the range holds such an integer; if so, `into` holds its sign and magnitude
 */
export function readInteger(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Integer64,
): boolean {
  let at = start;
  const first = bytes[at];
  into.isNegative = first === 0x2d;
  if (first === 0x2d || first === 0x2b) at++;
  if (at >= end) return false;
  const digitsStart = at;
  while (at < end && ((bytes[at] as number) - 0x30) >>> 0 < 10) at++;
  if (at < end) return readScientific(bytes, digitsStart, end, into);
  let from = digitsStart;
  while (end - from > MAX_DIGITS && bytes[from] === 0x30) from++;
  return setMagnitude(bytes, from, end, into);
}

// Only digits in bytes[start, end).
function setMagnitude(bytes: Uint8Array, start: number, end: number, into: Integer64): boolean {
  if (end - start > MAX_DIGITS) return false;
  let at = start;
  let head = 0;
  for (; end - at > 9; at++) head = head * 10 + (bytes[at] as number) - 0x30;
  let tail = 0;
  for (; at < end; at++) tail = tail * 10 + (bytes[at] as number) - 0x30;
  if (head === 0) {
    into.high = 0;
    into.low = tail;
    return true;
  }
  // head has at most 11 digits (37 bits), so each of the two products stays below 2^53.
  const upper = Math.floor(head / TWO_TO_16) * BILLION;
  const lower = (head % TWO_TO_16) * BILLION + tail;
  const low = (upper % TWO_TO_16) * TWO_TO_16 + lower;
  const high = Math.floor(upper / TWO_TO_16) + Math.floor(low / TWO_TO_32);
  if (high >= TWO_TO_32) return false;
  into.high = high | 0;
  into.low = (low % TWO_TO_32) | 0;
  return true;
}

// Digits with a point, an exponent, or both; no sign before them.
function readScientific(bytes: Uint8Array, start: number, end: number, into: Integer64): boolean {
  let at = start;
  let count = 0;
  let digits = 0;
  let trailingZeros = 0;
  let exponent = 0;
  let hasPoint = false;
  for (; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === 0x2e && !hasPoint) {
      hasPoint = true;
      continue;
    }
    if ((byte - 0x30) >>> 0 >= 10) break;
    digits++;
    if (hasPoint) exponent--;
    if (byte === 0x30) {
      trailingZeros++;
      continue;
    }
    // Zeros count as digits only once a digit other than zero follows them.
    if (count > 0)
      for (; trailingZeros > 0 && count < MAX_DIGITS; trailingZeros--) gathered[count++] = 0x30;
    if (count === MAX_DIGITS) return false;
    trailingZeros = 0;
    gathered[count++] = byte;
  }
  // A point stands between digits.
  if (digits === 0 || bytes[start] === 0x2e || bytes[at - 1] === 0x2e) return false;
  const written = readExponent(bytes, at, end);
  if (written === undefined) return false;
  if (count === 0) return setMagnitude(gathered, 0, 0, into);
  exponent += written + trailingZeros;
  if (exponent < 0 || count + exponent > MAX_DIGITS) return false;
  gathered.fill(0x30, count, count + exponent);
  return setMagnitude(gathered, 0, count + exponent, into);
}

// 0 where there is none, undefined where it is malformed; beyond 2^53 it is merely very large.
function readExponent(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (start === end) return 0;
  let at = start;
  if (bytes[at] !== 0x65 && bytes[at] !== 0x45) return undefined;
  at++;
  const sign = bytes[at] === 0x2d ? -1 : 1;
  if (bytes[at] === 0x2d || bytes[at] === 0x2b) at++;
  if (at >= end) return undefined;
  let exponent = 0;
  for (; at < end; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    exponent = exponent * 10 + digit;
  }
  return sign * exponent;
}
