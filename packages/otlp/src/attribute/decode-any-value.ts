import { MAX_NESTED_MESSAGES } from "../check/limits.js";
import { FieldCursor } from "../wire/field-cursor.js";
import { readDouble } from "../wire/fixed.js";
import { readText } from "../wire/text.js";
import { readInt64 } from "../wire/varint.js";
import { FIXED64, LENGTH_DELIMITED, VARINT } from "../wire/wire-type.js";
import type { AttributeValue } from "./attribute-value.js";

const STRING_VALUE = (1 << 3) | LENGTH_DELIMITED;
const BOOL_VALUE = (2 << 3) | VARINT;
const INT_VALUE = (3 << 3) | VARINT;
const DOUBLE_VALUE = (4 << 3) | FIXED64;
const ARRAY_VALUE = (5 << 3) | LENGTH_DELIMITED;
const KVLIST_VALUE = (6 << 3) | LENGTH_DELIMITED;
const BYTES_VALUE = (7 << 3) | LENGTH_DELIMITED;
const STRING_VALUE_STRINDEX = (8 << 3) | VARINT;
const VALUES = 1;
const KEY = 1;
const VALUE = 2;

/**
 * Decodes one AnyValue message, from `start` (inclusive) to `end` (exclusive).
 *
 * Of several values, which the oneof forbids to write, the last one counts. Of equal keys in a map the
 * last one counts. Bytes are a view of `bytes`.
 *
 * @param bytes of a request that has passed `checkRequest`
 * @throws RangeError when values are nested deeper than a request that was checked can have them
 */
export function decodeAnyValue(bytes: Uint8Array, start: number, end: number): AttributeValue {
  return decodeNested(bytes, start, end, 0);
}

/** Decodes one KeyValue message, such as an attribute. */
export function decodeKeyValue(
  bytes: Uint8Array,
  start: number,
  end: number,
): [key: string, value: AttributeValue] {
  return decodePair(bytes, start, end, 0);
}

function decodeNested(
  bytes: Uint8Array,
  start: number,
  end: number,
  depth: number,
): AttributeValue {
  if (depth > MAX_NESTED_MESSAGES) {
    throw new RangeError(`value nested ${depth} deep at byte ${start}`);
  }
  let value: AttributeValue;
  const field = new FieldCursor(bytes, start, end);
  while (field.next()) {
    const { contentStart, contentEnd } = field;
    switch (field.number * 8 + field.wireType) {
      case STRING_VALUE:
        value = readText(bytes, contentStart, contentEnd);
        break;
      case BOOL_VALUE:
        value = readInt64(bytes, contentStart) !== 0;
        break;
      case INT_VALUE:
        value = readInt64(bytes, contentStart);
        break;
      case DOUBLE_VALUE:
        value = readDouble(bytes, contentStart);
        break;
      case ARRAY_VALUE:
        value = decodeArray(bytes, contentStart, contentEnd, depth);
        break;
      case KVLIST_VALUE:
        value = decodeMap(bytes, contentStart, contentEnd, depth);
        break;
      case BYTES_VALUE:
        value = bytes.subarray(contentStart, contentEnd);
        break;
      case STRING_VALUE_STRINDEX:
        value = undefined;
        break;
      default:
        break;
    }
  }
  return value;
}

function decodeArray(
  bytes: Uint8Array,
  start: number,
  end: number,
  depth: number,
): AttributeValue[] {
  const values: AttributeValue[] = [];
  const field = new FieldCursor(bytes, start, end);
  while (field.next()) {
    if (field.number !== VALUES || field.wireType !== LENGTH_DELIMITED) continue;
    values.push(decodeNested(bytes, field.contentStart, field.contentEnd, depth + 1));
  }
  return values;
}

function decodeMap(
  bytes: Uint8Array,
  start: number,
  end: number,
  depth: number,
): { [key: string]: AttributeValue } {
  // Without a prototype, so that a key such as __proto__ is a key like any other.
  const map: { [key: string]: AttributeValue } = Object.create(null);
  const field = new FieldCursor(bytes, start, end);
  while (field.next()) {
    if (field.number !== VALUES || field.wireType !== LENGTH_DELIMITED) continue;
    const [key, value] = decodePair(bytes, field.contentStart, field.contentEnd, depth + 1);
    map[key] = value;
  }
  return map;
}

function decodePair(
  bytes: Uint8Array,
  start: number,
  end: number,
  depth: number,
): [key: string, value: AttributeValue] {
  let key = "";
  let value: AttributeValue;
  const field = new FieldCursor(bytes, start, end);
  while (field.next()) {
    if (field.wireType !== LENGTH_DELIMITED) continue;
    const { contentStart, contentEnd } = field;
    if (field.number === KEY) key = readText(bytes, contentStart, contentEnd);
    else if (field.number === VALUE) value = decodeNested(bytes, contentStart, contentEnd, depth);
  }
  return [key, value];
}
