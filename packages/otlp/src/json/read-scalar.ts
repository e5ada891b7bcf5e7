import type { EnumSchema } from "../schema/message-schema.js";
import { readNumber, readNumberText } from "./decimal-double.js";
import { Integer64, readInteger } from "./decimal-integer.js";
import { refuseValue } from "./json-mapping-error.js";
import type { JsonReader } from "./json-reader.js";

const QUOTE = 0x22;
const MINUS = 0x2d;
const MAX_FLOAT = 3.4028234663852886e38;

/** Where {@link readInteger64} leaves its result, as sign and magnitude. */
export const integer = new Integer64();

/**
 * Consumes an integer of at most 64 bits, a number or a text, and leaves it in {@link integer}.
 *
 * @param isSigned whether -2^63 to 2^63-1 are allowed, else 0 to 2^64-1
 */
export function readInteger64(reader: JsonReader, isSigned: boolean): void {
  const start = reader.offset;
  const first = reader.bytes[start] as number;
  let valid = false;
  if (first === QUOTE) {
    reader.readText();
    valid = readInteger(reader.text, reader.textStart, reader.textEnd, integer);
  } else if (startsNumber(first)) {
    reader.readNumberToken();
    valid = readInteger(reader.bytes, start, reader.offset, integer);
  } else {
    reader.refuse(describeRange64(isSigned));
  }
  if (!valid || !fits64(isSigned)) refuseValue(reader.bytes, start, describeRange64(isSigned));
}

/** Consumes an integer between two bounds of at most 32 bits, a number or a text. */
export function readInteger32(reader: JsonReader, min: number, max: number): number {
  const start = reader.offset;
  const first = reader.bytes[start] as number;
  let valid: boolean;
  if (first === QUOTE) {
    reader.readText();
    valid = readInteger(reader.text, reader.textStart, reader.textEnd, integer);
  } else if (startsNumber(first)) {
    reader.readNumberToken();
    valid = readInteger(reader.bytes, start, reader.offset, integer);
  } else {
    return reader.refuse(`an integer from ${min} to ${max}`);
  }
  const magnitude = integer.low >>> 0;
  const value = integer.isNegative ? -magnitude : magnitude;
  if (!valid || integer.high !== 0 || value < min || value > max) {
    refuseValue(reader.bytes, start, `an integer from ${min} to ${max}`);
  }
  return value;
}

/** Consumes a double, a number or a text, `NaN` and the infinities included. */
export function readDouble(reader: JsonReader): number {
  const start = reader.offset;
  const first = reader.bytes[start] as number;
  let value: number | undefined;
  if (first === QUOTE) {
    reader.readText();
    value = readNumberText(reader.text, reader.textStart, reader.textEnd);
  } else if (startsNumber(first)) {
    reader.readNumberToken();
    value = readNumber(reader.bytes, start, reader.offset);
    if (!Number.isFinite(value)) value = undefined;
  } else {
    return reader.refuse(DOUBLE);
  }
  return value ?? refuseValue(reader.bytes, start, DOUBLE);
}

/** Consumes a number that a float of 32 bits can hold. */
export function readFloat(reader: JsonReader): number {
  const start = reader.offset;
  const value = readDouble(reader);
  if (Number.isFinite(value) && Math.abs(Math.fround(value)) > MAX_FLOAT) {
    refuseValue(reader.bytes, start, "a number that 32 bits can hold");
  }
  return value;
}

/** Consumes `true` or `false`. */
export function readBoolean(reader: JsonReader): boolean {
  const first = reader.bytes[reader.offset];
  if (first === 0x74) reader.readWord("true");
  else if (first === 0x66) reader.readWord("false");
  else reader.refuse("true or false");
  return first === 0x74;
}

/** Consumes a number of an enum, known or not, or the name of a known one. */
export function readEnum(reader: JsonReader, enumType: EnumSchema): number {
  if (reader.bytes[reader.offset] !== QUOTE) {
    return readInteger32(reader, -0x8000_0000, 0x7fff_ffff);
  }
  const start = reader.offset;
  reader.readText();
  const name = Buffer.from(reader.text.subarray(reader.textStart, reader.textEnd)).toString(
    "latin1",
  );
  const value = enumType.values.get(name);
  return value ?? refuseValue(reader.bytes, start, `a number or a name of ${enumType.name}`);
}

const DOUBLE = "a number of double precision, `NaN`, `Infinity` or `-Infinity`";

function startsNumber(byte: number): boolean {
  return byte === MINUS || (byte >= 0x30 && byte <= 0x39);
}

function fits64(isSigned: boolean): boolean {
  const { isNegative, high, low } = integer;
  if (!isSigned) return !isNegative || (high === 0 && low === 0);
  if (high >= 0) return true;
  return isNegative && high === -0x8000_0000 && low === 0;
}

function describeRange64(isSigned: boolean): string {
  return isSigned
    ? "an integer from -9223372036854775808 to 9223372036854775807"
    : "an integer from 0 to 18446744073709551615";
}
