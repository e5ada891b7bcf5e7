// Up to 15 digits and a power of ten up to 22 are both exact as doubles, so that one multiplication
// or division rounds correctly (W. D. Clinger, "How to read floating point numbers accurately").
const EXACT_DIGITS = 15;
const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, index) => Number(`1e${index}`));

// No two parts can take the same digits, so that matching takes time in proportion to the text.
const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
const SPECIAL = /^([+-]?)(inf|infinity|nan)$/i;

/**
 * The double that a JSON number in `bytes[start, end)` stands for, rounded to the nearest.
 *
 * The range must hold a well-formed JSON number. One that is too large becomes an infinity; the
 * caller refuses it.
 */
export function readNumber(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  const isNegative = bytes[at] === 0x2d;
  if (isNegative) at++;
  if (end - at > EXACT_DIGITS + 1) return parse(bytes, start, end);
  let mantissa = 0;
  let point = end;
  for (; at < end; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit >>> 0 < 10) mantissa = mantissa * 10 + digit;
    else if (digit === -2) point = at + 1;
    else return parse(bytes, start, end);
  }
  if (point !== end) mantissa /= POWERS_OF_TEN[end - point] as number;
  else if (mantissa > Number.MAX_SAFE_INTEGER) return parse(bytes, start, end);
  return isNegative ? -mantissa : mantissa;
}

/**
 * The double that a text in `bytes[start, end)` stands for, undefined when it stands for none.
 *
 * Beside JSON numbers, `NaN`, `Infinity` and `-Infinity`, it accepts what the Collector's
 * `strconv.ParseFloat` does: a leading `+` or point, leading zeros, `inf`, any case. A finite text
 * that is too large for a double stands for none. Hexadecimal floating point is not accepted.
 */
export function readNumberText(bytes: Uint8Array, start: number, end: number): number | undefined {
  const text = decode(bytes, start, end);
  if (DECIMAL.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : undefined;
  }
  const special = SPECIAL.exec(text);
  if (special === null) return undefined;
  if (special[2]?.toLowerCase() === "nan") return Number.NaN;
  return special[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function parse(bytes: Uint8Array, start: number, end: number): number {
  return Number(decode(bytes, start, end));
}

function decode(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}
