import {
  endOfVarint,
  equalsText,
  FIXED64,
  FieldCursor,
  LENGTH_DELIMITED,
  readDouble,
  readInt64,
  readText,
  readVarint32,
  VARINT,
} from "@inode-gateway/otlp";
import { Double, type Value } from "./value.js";

const STRING_VALUE = (1 << 3) | LENGTH_DELIMITED;
const BOOL_VALUE = (2 << 3) | VARINT;
const INT_VALUE = (3 << 3) | VARINT;
const DOUBLE_VALUE = (4 << 3) | FIXED64;
const ARRAY_VALUE = (5 << 3) | LENGTH_DELIMITED;
const KVLIST_VALUE = (6 << 3) | LENGTH_DELIMITED;
const BYTES_VALUE = (7 << 3) | LENGTH_DELIMITED;
const VALUES = 1;
const KEY = 1;
const VALUE = 2;

/** Decodes the AnyValue whose length stands at `offset`, as `findAttribute` returns it. */
export function decodeValueAt(bytes: Uint8Array, offset: number): Value {
  const start = endOfVarint(bytes, offset);
  return decodeValue(bytes, start, start + readVarint32(bytes, offset));
}

/** Whether the AnyValue whose length stands at `offset` is that text. */
export function valueEqualsText(bytes: Uint8Array, offset: number, text: string): boolean {
  const start = endOfVarint(bytes, offset);
  const end = start + readVarint32(bytes, offset);
  if (start < end && bytes[start] === STRING_VALUE) {
    const textStart = endOfVarint(bytes, start + 1);
    // Nothing behind the text: of several members of the oneof the last one would count.
    if (textStart + readVarint32(bytes, start + 1) === end) {
      return equalsText(bytes, textStart, end, text);
    }
  }
  return decodeValue(bytes, start, end) === text;
}

/**
 * Decodes an AnyValue with int and float told apart, which conditions need. Depth is bounded by
 * `checkRequest`.
 */
export function decodeValue(bytes: Uint8Array, start: number, end: number): Value {
  let value: Value;
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
        value = new Double(readDouble(bytes, contentStart));
        break;
      case ARRAY_VALUE:
        value = decodeList(bytes, contentStart, contentEnd);
        break;
      case KVLIST_VALUE:
        value = decodeMap(bytes, contentStart, contentEnd, VALUES);
        break;
      case BYTES_VALUE:
        value = bytes.subarray(contentStart, contentEnd);
        break;
      default:
        break;
    }
  }
  return value;
}

/** Decodes all KeyValues in fields of one number; of equal keys the first counts, as in a look-up. */
export function decodeMap(
  bytes: Uint8Array,
  start: number,
  end: number,
  fieldNumber: number,
): Map<string, Value> {
  const map = new Map<string, Value>();
  const field = new FieldCursor(bytes, start, end);
  while (field.next()) {
    if (field.number !== fieldNumber || field.wireType !== LENGTH_DELIMITED) continue;
    const [key, value] = decodePair(bytes, field.contentStart, field.contentEnd);
    if (!map.has(key)) map.set(key, value);
  }
  return map;
}

function decodeList(bytes: Uint8Array, start: number, end: number): Value[] {
  const values: Value[] = [];
  const field = new FieldCursor(bytes, start, end);
  while (field.next()) {
    if (field.number !== VALUES || field.wireType !== LENGTH_DELIMITED) continue;
    values.push(decodeValue(bytes, field.contentStart, field.contentEnd));
  }
  return values;
}

function decodePair(bytes: Uint8Array, start: number, end: number): [string, Value] {
  let key = "";
  let value: Value;
  const field = new FieldCursor(bytes, start, end);
  while (field.next()) {
    if (field.wireType !== LENGTH_DELIMITED) continue;
    const { contentStart, contentEnd } = field;
    if (field.number === KEY) key = readText(bytes, contentStart, contentEnd);
    else if (field.number === VALUE) value = decodeValue(bytes, contentStart, contentEnd);
  }
  return [key, value];
}
