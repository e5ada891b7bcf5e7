/** Hexadecimal digits of a threshold or a random value: 56 bits. */
export const DIGITS = 14;

/**
 * A sampling threshold: how many of the 2^56 random values are not sampled, as 14 hexadecimal digits in
 * lower case. Equally long texts compare like the numbers they say.
 */
export type Threshold = string;

/** Everything is sampled. */
export const ALWAYS: Threshold = "0".repeat(DIGITS);

/** Nothing is sampled: greater than every random value. */
export const NEVER: Threshold = "never";

const VALUES = 2n ** 56n;
const BITS_PER_DIGIT = 4;
const HEXADECIMAL = /^[0-9A-Fa-f]+$/;

/** The smallest probability that a threshold can say. */
export const MIN_PROBABILITY: number = 2 ** -56;

/** Reads a `th` value, whose trailing zeros are left out; undefined when it is none. */
export function parseThreshold(text: string): Threshold | undefined {
  if (text.length > DIGITS || !HEXADECIMAL.test(text)) return undefined;
  return text.toLowerCase().padEnd(DIGITS, "0");
}

/** Writes a `th` value; empty for {@link NEVER}. */
export function formatThreshold(threshold: Threshold): string {
  if (threshold === ALWAYS) return "0";
  return threshold === NEVER ? "" : threshold.replace(/0+$/, "");
}

/** Reads an `rv` value; undefined when it is none. */
export function parseRandomness(text: string): string | undefined {
  return text.length === DIGITS && HEXADECIMAL.test(text) ? text.toLowerCase() : undefined;
}

/** The threshold made of a number of values that are not sampled. */
export function thresholdOf(rejected: bigint): Threshold {
  return rejected >= VALUES ? NEVER : rejected.toString(16).padStart(DIGITS, "0");
}

/** The share of values that a threshold lets pass, 0 to 1. */
export function probabilityOf(threshold: Threshold): number {
  return Number(VALUES - BigInt(`0x${threshold}`)) / Number(VALUES);
}

/**
 * The threshold of a probability, rounded to as many significant digits as `precision` says (1 to 14).
 * More digits are kept close to 0 and to 1, where leading zeros or `f`s say nothing.
 *
 * @returns undefined for a probability outside of 2^-56 to 1
 */
export function probabilityThreshold(
  probability: number,
  precision: number,
): Threshold | undefined {
  if (!(probability >= MIN_PROBABILITY && probability <= 1)) return undefined;
  if (probability === 1) return ALWAYS;
  const leading = Math.max(leadingDigits(probability), leadingDigits(1 - probability));
  const digits = Math.min(DIGITS, precision + leading);
  let rejected = VALUES - BigInt(Math.round(probability * Number(VALUES)));
  const shift = BigInt(BITS_PER_DIGIT * (DIGITS - digits));
  if (shift > 0n) rejected = ((rejected + (1n << (shift - 1n))) >> shift) << shift;
  return thresholdOf(rejected);
}

const scratch = new DataView(new ArrayBuffer(8));
const EXPONENT_BIAS = 1022;

/** Hexadecimal digits that are zero before the first significant one of a number in (0, 1). */
function leadingDigits(value: number): number {
  scratch.setFloat64(0, value);
  const exponent = ((scratch.getUint16(0) >>> 4) & 0x7ff) - EXPONENT_BIAS;
  return Math.trunc(-exponent / BITS_PER_DIGIT);
}
