import type { ByteWriter } from "./byte-writer.js";
import { copyCleanWords } from "./json-string.js";

const TWO_TO_32 = 0x1_0000_0000;
const BILLION = 1_000_000_000;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Room that every function here but {@link appendJsonString} needs, reserved by the caller. */
export const MAX_NUMBER_TEXT = 32;

// The letter of the short escape of a control character; 0 where only \u00XX will do.
const SHORT_ESCAPES = new Uint8Array(0x20);
for (const [character, letter] of Object.entries({
  "\b": "b",
  "\t": "t",
  "\n": "n",
  "\f": "f",
  "\r": "r",
})) {
  SHORT_ESCAPES[character.charCodeAt(0)] = letter.charCodeAt(0);
}

/**
 * Appends UTF-8 bytes as a JSON string in quotes. Reserves room itself, and some to spare.
 *
 * @param view of all of `bytes`
 */
export function appendJsonString(
  writer: ByteWriter,
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): void {
  writer.reserve(end - start + MAX_NUMBER_TEXT);
  writer.bytes[writer.length++] = QUOTE;
  let at = start;
  while (at < end) {
    const clean = copyCleanWords(view, at, end, writer.view, writer.length);
    writer.length += clean - at;
    at = clean;
    // The up to four bytes that hold the reason why it stopped.
    for (const stop = Math.min(clean + 4, end); at < stop; at++) {
      const byte = bytes[at] as number;
      if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) {
        writer.bytes[writer.length++] = byte;
      } else {
        appendEscape(writer, byte);
        writer.reserve(end - at + MAX_NUMBER_TEXT);
      }
    }
  }
  writer.bytes[writer.length++] = QUOTE;
}

/** Appends an unsigned 64-bit integer, given as two halves of 32 bits, in decimal. */
export function appendUnsigned64(writer: ByteWriter, high: number, low: number): void {
  const upper = high >>> 0;
  const lower = low >>> 0;
  if (upper === 0) {
    appendDigits(writer, lower);
    return;
  }
  // Long division by a billion in steps of 16 bits, which keeps every number below 2^53.
  const first = Math.floor(upper / BILLION);
  const secondDividend = (upper % BILLION) * 0x1_0000 + (lower >>> 16);
  const second = Math.floor(secondDividend / BILLION);
  const thirdDividend = (secondDividend % BILLION) * 0x1_0000 + (lower & 0xffff);
  const third = Math.floor(thirdDividend / BILLION);
  appendDigits(writer, first * TWO_TO_32 + second * 0x1_0000 + third);
  appendPadded(writer, thirdDividend % BILLION);
}

/** Appends a signed 64-bit integer, given as two halves of 32 bits, in decimal. */
export function appendSigned64(writer: ByteWriter, high: number, low: number): void {
  if (high >= 0) {
    appendUnsigned64(writer, high, low);
    return;
  }
  writer.bytes[writer.length++] = 0x2d;
  const negatedLow = -low | 0;
  appendUnsigned64(writer, negatedLow === 0 ? -high : ~high, negatedLow);
}

/** Appends an integer of at most 53 bits in decimal. */
export function appendInteger(writer: ByteWriter, value: number): void {
  if (value < 0) writer.bytes[writer.length++] = 0x2d;
  appendDigits(writer, Math.abs(value));
}

/** Appends a double: a JSON number, or `"NaN"`, `"Infinity"`, `"-Infinity"`. */
export function appendNumber(writer: ByteWriter, value: number): void {
  if (!Number.isFinite(value)) appendAscii(writer, `"${value}"`);
  else if (Object.is(value, -0)) appendAscii(writer, "-0");
  else if (Number.isSafeInteger(value)) appendInteger(writer, value);
  else appendAscii(writer, String(value));
}

/** Appends a text of at most {@link MAX_NUMBER_TEXT} ASCII characters as it is. */
export function appendAscii(writer: ByteWriter, text: string): void {
  const { bytes } = writer;
  let length = writer.length;
  for (let index = 0; index < text.length; index++) bytes[length++] = text.charCodeAt(index);
  writer.length = length;
}

function appendEscape(writer: ByteWriter, byte: number): void {
  const letter = byte < 0x20 ? SHORT_ESCAPES[byte] : byte;
  if (letter) {
    writer.bytes[writer.length++] = BACKSLASH;
    writer.bytes[writer.length++] = letter;
  } else {
    appendAscii(writer, `\\u${byte.toString(16).padStart(4, "0")}`);
  }
}

// An integer from 0 to 2^53 - 1.
function appendDigits(writer: ByteWriter, value: number): void {
  let rest = value;
  if (rest >= BILLION) {
    appendDigits(writer, Math.floor(rest / BILLION));
    appendPadded(writer, rest % BILLION);
    return;
  }
  let count = 1;
  for (let limit = 10; rest >= limit; limit *= 10) count++;
  const { bytes } = writer;
  const end = writer.length + count;
  for (let at = end - 1; count > 0; count--, at--) {
    const quotient = (rest / 10) | 0;
    bytes[at] = 0x30 + rest - quotient * 10;
    rest = quotient;
  }
  writer.length = end;
}

// Nine digits of an integer below a billion.
function appendPadded(writer: ByteWriter, value: number): void {
  const { bytes } = writer;
  const start = writer.length;
  let rest = value | 0;
  for (let at = start + 8; at >= start; at--) {
    const quotient = (rest / 10) | 0;
    bytes[at] = 0x30 + rest - quotient * 10;
    rest = quotient;
  }
  writer.length = start + 9;
}
