import { isAscii } from "./text.js";

// First bytes of the fields: number times eight plus wire type.
const KEY = 0x0a;
const VALUE = 0x12;
const STRING_VALUE = 0x0a;
const BOOL_VALUE = 0x10;
const INT_VALUE = 0x18;
const DOUBLE_VALUE = 0x21;
const LONGEST_USUAL_INT_BYTES = 9;

/**
 * Whether the bytes are a KeyValue as every SDK writes it: key, then value, ASCII text, lengths of
 * one byte, a value that is a string, a bool, an int or a double.
 *
 * True means well-framed. False means nothing: the general check has to look. Attributes are most of
 * a request, and this halves the time of the whole check.
 */
export function isUsualKeyValue(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): boolean {
  // Reading a few bytes beyond `end` is harmless: every comparison below then fails.
  const keyStart = start + 2;
  const keyEnd = keyStart + (bytes[start + 1] ?? 0);
  const valueStart = keyEnd + 2;
  if (bytes[start] !== KEY || bytes[keyEnd] !== VALUE) return false;
  const valueLength = bytes[keyEnd + 1] ?? 0;
  if (valueLength < 2 || valueLength >= 0x80 || valueStart + valueLength !== end) return false;
  if (keyEnd - keyStart >= 0x80) return false;
  switch (bytes[valueStart] ?? 0) {
    case STRING_VALUE:
      // The lengths in between are below 0x80 too, so both texts are looked at in one go.
      return bytes[valueStart + 1] === valueLength - 2 && isAscii(bytes, view, keyStart, end);
    case BOOL_VALUE:
    case INT_VALUE:
      return isLastVarint(bytes, valueStart + 1, end) && isAscii(bytes, view, keyStart, keyEnd);
    case DOUBLE_VALUE:
      return valueLength === 9 && isAscii(bytes, view, keyStart, keyEnd);
    default:
      return false;
  }
}

function isLastVarint(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > LONGEST_USUAL_INT_BYTES) return false;
  for (let offset = start; offset < end - 1; offset++) {
    if ((bytes[offset] ?? 0) < 0x80) return false;
  }
  return (bytes[end - 1] ?? 0) < 0x80;
}
