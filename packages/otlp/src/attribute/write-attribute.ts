import { WireWriter } from "../wire/wire-writer.js";
import type { AttributeScalar, AttributeValue } from "./attribute-value.js";

const KEY = 1;
const VALUE = 2;
const STRING_VALUE = 1;
const BOOL_VALUE = 2;
const INT_VALUE = 3;
const DOUBLE_VALUE = 4;
const ARRAY_VALUE = 5;
const KVLIST_VALUE = 6;
const BYTES_VALUE = 7;
const VALUES = 1;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

/**
 * Writes one attribute as a KeyValue in field `number` of the message that is being written.
 *
 * @throws RangeError when `value` is a bigint that does not fit into a signed 64-bit integer
 */
export function writeAttribute(
  writer: WireWriter,
  number: number,
  key: string,
  value: AttributeScalar,
): void {
  writePair(writer, number, key, value);
}

/**
 * Writes one value as an AnyValue in field `number` of the message that is being written.
 *
 * @throws RangeError when `value` is a bigint that does not fit into a signed 64-bit integer
 */
export function writeAnyValue(writer: WireWriter, number: number, value: AttributeValue): void {
  const anyValue = writer.startMessage(number);
  writeContent(writer, value);
  writer.endMessage(anyValue);
}

/**
 * The AnyValue message of a value, without a field around it; empty for undefined.
 *
 * @throws RangeError when `value` is a bigint that does not fit into a signed 64-bit integer
 */
export function encodeAnyValue(value: AttributeValue): Uint8Array {
  const writer = new WireWriter();
  writeContent(writer, value);
  return writer.finish();
}

/** The AnyValue message of a double, whole numbers too. */
export function encodeDoubleValue(value: number): Uint8Array {
  const writer = new WireWriter(9);
  writer.doubleField(DOUBLE_VALUE, value);
  return writer.finish();
}

function writeContent(writer: WireWriter, value: AttributeValue): void {
  if (typeof value === "string") writer.stringField(STRING_VALUE, value);
  else if (typeof value === "boolean") writer.varintField(BOOL_VALUE, value ? 1 : 0);
  else if (typeof value === "bigint") writer.varintField(INT_VALUE, checkedInt64(value));
  else if (typeof value === "number") writeNumber(writer, value);
  else if (value instanceof Uint8Array) writer.bytesField(BYTES_VALUE, value);
  else if (Array.isArray(value)) {
    const array = writer.startMessage(ARRAY_VALUE);
    for (const element of value) writeAnyValue(writer, VALUES, element);
    writer.endMessage(array);
  } else if (value !== undefined) {
    const list = writer.startMessage(KVLIST_VALUE);
    for (const [key, element] of Object.entries(value)) writePair(writer, VALUES, key, element);
    writer.endMessage(list);
  }
}

function writePair(writer: WireWriter, number: number, key: string, value: AttributeValue): void {
  const keyValue = writer.startMessage(number);
  writer.stringField(KEY, key);
  writeAnyValue(writer, VALUE, value);
  writer.endMessage(keyValue);
}

function writeNumber(writer: WireWriter, value: number): void {
  if (Number.isSafeInteger(value)) writer.varintField(INT_VALUE, value);
  else writer.doubleField(DOUBLE_VALUE, value);
}

function checkedInt64(value: bigint): bigint {
  if (value >= MIN_INT64 && value <= MAX_INT64) return value;
  throw new RangeError(`integer ${value} is outside the signed 64 bits of an attribute`);
}
