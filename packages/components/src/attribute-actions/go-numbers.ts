const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

// More digits than any number in range has; keeps a long text from becoming a huge integer.
const DIGITS_MAX = 400;

const INTEGER = /^[+-]?[0-9]+$/;
const DECIMAL = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?$/i;
const HEXADECIMAL = /^([+-]?)0x([0-9a-f]*)(?:\.([0-9a-f]*))?p([+-]?[0-9]{1,9})$/i;
const INFINITY = /^([+-]?)inf(?:inity)?$/i;
// An underscore stands between two digits, or between `0x` and a digit.
const BAD_SEPARATOR = /(?:^|[^0-9])_|_(?:$|[^0-9])/;
const BAD_HEXADECIMAL_SEPARATOR = /(?:^|[^0-9a-fx])_|_(?:$|[^0-9a-f])/i;

/** A signed 64-bit integer in decimal, as Go's `ParseInt` takes it; undefined for anything else. */
export function parseGoInteger(text: string): bigint | undefined {
  if (!INTEGER.test(text) || text.length > DIGITS_MAX) return undefined;
  const value = BigInt(text.startsWith("+") ? text.slice(1) : text);
  return value >= MIN_INT64 && value <= MAX_INT64 ? value : undefined;
}

/** A double as Go's `ParseFloat` takes it; undefined for anything else, and for what is out of range. */
export function parseGoDouble(text: string): number | undefined {
  if (text.length > DIGITS_MAX) return undefined;
  const bad = /^[+-]?0x/i.test(text) ? BAD_HEXADECIMAL_SEPARATOR : BAD_SEPARATOR;
  const plain = bad.test(text) ? text : text.replaceAll("_", "");
  if (DECIMAL.test(plain)) {
    const value = Number(plain);
    return Number.isFinite(value) ? value : undefined;
  }
  if (/^[+-]?nan$/i.test(text)) return /^[+-]/.test(text) ? undefined : Number.NaN;
  const infinity = INFINITY.exec(text);
  if (infinity !== null) {
    return infinity[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  return parseHexadecimal(plain);
}

function parseHexadecimal(text: string): number | undefined {
  const [, sign, whole = "", fraction = "", exponent = "0"] = HEXADECIMAL.exec(text) ?? [];
  const digits = whole + fraction;
  if (digits === "") return undefined;
  const power = Number(exponent) - 4 * fraction.length;
  const value = Number(BigInt(`0x${digits}`)) * 2 ** power;
  if (!Number.isFinite(value)) return undefined;
  return sign === "-" ? -value : value;
}
