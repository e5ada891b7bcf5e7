import type { ByteWriter } from "./byte-writer.js";
import { refuseSyntax } from "./json-mapping-error.js";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

// What the character behind a backslash stands for; 0 for those that may not stand there.
const ESCAPES = new Uint8Array(128);
for (const [character, meaning] of Object.entries({
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
})) {
  ESCAPES[character.charCodeAt(0)] = meaning.charCodeAt(0);
}

const REPLACEMENT_CHARACTER = 0xfffd;

/**
 * Appends the UTF-8 bytes of a JSON string and returns the offset behind its closing quote.
 *
 * Escapes are resolved. An escaped surrogate without its other half becomes U+FFFD, as in the
 * Collector: JavaScript SDKs that shorten an attribute value in the middle of an emoji send one,
 * and a request of hundreds of spans should not be lost for it.
 *
 * `json` must be valid UTF-8. The writer needs room for as many bytes as `json` has left.
 *
 * @param view of all of `json`
 * @param start offset behind the opening quote
 * @throws JsonMappingError for a control character, an unknown escape or a missing closing quote
 */
export function copyJsonString(
  json: Uint8Array,
  view: DataView,
  start: number,
  writer: ByteWriter,
): number {
  const target = writer.bytes;
  let length = writer.length;
  let at = start;
  for (;;) {
    const clean = copyCleanWords(view, at, json.length, writer.view, length);
    length += clean - at;
    at = clean;
    let byte = at < json.length ? (json[at] as number) : 0;
    while (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) {
      target[length++] = byte;
      at++;
      byte = at < json.length ? (json[at] as number) : 0;
    }
    writer.length = length;
    if (byte === QUOTE) return at + 1;
    if (byte !== BACKSLASH) {
      const isEnd = at >= json.length;
      refuseSyntax(json, at, isEnd ? 'a closing `"`' : "control characters to be escaped");
    }
    at = copyEscape(json, at, writer);
    length = writer.length;
  }
}

/**
 * Copies what a JSON string holds as it is, four bytes at a time: up to where a quote, a backslash
 * or a control character is among the next four, or fewer are left.
 *
 * `target` needs room for all of `source[start, end)`.
 *
 * @param to offset in `target`
 * @returns the offset in `source` that was reached
 */
export function copyCleanWords(
  source: DataView,
  start: number,
  end: number,
  target: DataView,
  to: number,
): number {
  const last = end - 4;
  let at = start;
  for (let length = to; at <= last; at += 4, length += 4) {
    const word = source.getInt32(at, true);
    // Each of the three terms has the top bit of a byte set where it is such a character.
    const found =
      (word - 0x2020_2020) |
      ((word ^ 0x2222_2222) - 0x0101_0101) |
      ((word ^ 0x5c5c_5c5c) - 0x0101_0101);
    if ((found & ~word & 0x8080_8080) !== 0) break;
    target.setInt32(length, word, true);
  }
  return at;
}

// `start` is the offset of the backslash; returns the offset behind the escape, or behind both
// halves of a surrogate pair.
function copyEscape(json: Uint8Array, start: number, writer: ByteWriter): number {
  const character = json[start + 1] ?? 0;
  if (character !== 0x75) {
    const meaning = character < 128 ? (ESCAPES[character] as number) : 0;
    if (meaning === 0) refuseSyntax(json, start + 1, 'one of `"\\/bfnrtu` after a backslash');
    writer.bytes[writer.length++] = meaning;
    return start + 2;
  }
  const unit = readUnit(json, start + 2);
  const next = start + 6;
  if (unit < 0xd800 || unit > 0xdfff) {
    appendCodePoint(unit, writer);
    return next;
  }
  if (unit < 0xdc00 && json[next] === BACKSLASH && json[next + 1] === 0x75) {
    const second = readUnit(json, next + 2);
    if (second >= 0xdc00 && second <= 0xdfff) {
      appendCodePoint(0x1_0000 + ((unit - 0xd800) << 10) + (second - 0xdc00), writer);
      return next + 6;
    }
  }
  appendCodePoint(REPLACEMENT_CHARACTER, writer);
  return next;
}

// Four hexadecimal digits of a \u escape.
function readUnit(json: Uint8Array, start: number): number {
  let unit = 0;
  for (let at = start; at < start + 4; at++) {
    const byte = json[at] ?? 0;
    const letter = (byte | 0x20) - 0x61;
    if (byte >= 0x30 && byte <= 0x39) unit = unit * 16 + byte - 0x30;
    else if (letter >= 0 && letter < 6) unit = unit * 16 + letter + 10;
    else refuseSyntax(json, at, "four hexadecimal digits after `\\u`");
  }
  return unit;
}

function appendCodePoint(codePoint: number, writer: ByteWriter): void {
  const target = writer.bytes;
  let length = writer.length;
  if (codePoint < 0x80) {
    target[length++] = codePoint;
  } else if (codePoint < 0x800) {
    target[length++] = 0xc0 | (codePoint >>> 6);
    target[length++] = 0x80 | (codePoint & 0x3f);
  } else if (codePoint < 0x1_0000) {
    target[length++] = 0xe0 | (codePoint >>> 12);
    target[length++] = 0x80 | ((codePoint >>> 6) & 0x3f);
    target[length++] = 0x80 | (codePoint & 0x3f);
  } else {
    target[length++] = 0xf0 | (codePoint >>> 18);
    target[length++] = 0x80 | ((codePoint >>> 12) & 0x3f);
    target[length++] = 0x80 | ((codePoint >>> 6) & 0x3f);
    target[length++] = 0x80 | (codePoint & 0x3f);
  }
  writer.length = length;
}
