import { decodeBase64 } from "./base64.js";
import type { ByteWriter } from "./byte-writer.js";
import { decodeHexadecimal } from "./hexadecimal.js";
import { FORM, type JsonField } from "./json-fields.js";
import { refuseValue } from "./json-mapping-error.js";
import type { JsonReader } from "./json-reader.js";
import { copyJsonString } from "./json-string.js";
import {
  appendDouble,
  appendFixed32,
  appendFixed64,
  appendFloat,
  appendVarint32,
  appendVarint64,
  closeLengthDelimited,
} from "./protobuf-values.js";
import {
  integer,
  readBoolean,
  readDouble,
  readEnum,
  readFloat,
  readInteger32,
  readInteger64,
} from "./read-scalar.js";

const QUOTE = 0x22;
const MAX_INT32 = 0x7fff_ffff;
const MAX_UINT32 = 0xffff_ffff;

/**
 * Consumes one JSON value that is no message and appends it in protobuf, without a tag.
 *
 * The writer needs room for as many bytes as the reader has left, and for a scalar and a length.
 *
 * @returns whether the value is the default of its type
 * @throws JsonMappingError when the value is not one of the field's type
 */
export function writeScalar(reader: JsonReader, writer: ByteWriter, field: JsonField): boolean {
  switch (field.form) {
    case FORM.string:
      return writeString(reader, writer);
    case FORM.hexId:
      return writeHexId(reader, writer, field);
    case FORM.bytes:
      return writeBytes(reader, writer);
    case FORM.double:
    case FORM.float:
      return writeFloating(reader, writer, field);
    case FORM.int64:
    case FORM.uint64:
    case FORM.sint64:
    case FORM.fixed64:
    case FORM.sfixed64:
      return writeInteger64(reader, writer, field);
    default:
      return writeInteger32(reader, writer, field);
  }
}

function writeString(reader: JsonReader, writer: ByteWriter): boolean {
  if (reader.bytes[reader.offset] !== QUOTE) reader.refuse("a string");
  const contentStart = ++writer.length;
  reader.offset = copyJsonString(reader.bytes, reader.view, reader.offset + 1, writer);
  const length = writer.length - contentStart;
  if (length < 0x80) writer.bytes[contentStart - 1] = length;
  else closeLengthDelimited(writer, contentStart, 1);
  return length === 0;
}

function writeHexId(reader: JsonReader, writer: ByteWriter, field: JsonField): boolean {
  const byteCount = field.schema.hexIdBytes ?? 0;
  const start = reader.offset;
  if (reader.bytes[start] !== QUOTE) reader.refuse(describeHexId(byteCount));
  const digits = byteCount * 2;
  const contentStart = ++writer.length;
  if (
    start + 1 + digits < reader.bytes.length &&
    reader.bytes[start + 1 + digits] === QUOTE &&
    decodeHexadecimal(reader.bytes, start + 1, start + 1 + digits, writer)
  ) {
    reader.offset = start + digits + 2;
    writer.bytes[contentStart - 1] = byteCount;
    return false;
  }
  // Empty, escaped, or wrong.
  reader.readText();
  const { text, textStart, textEnd } = reader;
  const isEmpty = textStart === textEnd;
  if (
    !isEmpty &&
    (textEnd - textStart !== digits || !decodeHexadecimal(text, textStart, textEnd, writer))
  ) {
    refuseValue(reader.bytes, start, describeHexId(byteCount));
  }
  writer.bytes[contentStart - 1] = writer.length - contentStart;
  return isEmpty;
}

function writeBytes(reader: JsonReader, writer: ByteWriter): boolean {
  const start = reader.offset;
  if (reader.bytes[start] !== QUOTE) reader.refuse("base64 text");
  reader.readText();
  const contentStart = ++writer.length;
  if (!decodeBase64(reader.text, reader.textStart, reader.textEnd, writer)) {
    refuseValue(reader.bytes, start, "base64 text");
  }
  const isEmpty = writer.length === contentStart;
  closeLengthDelimited(writer, contentStart, 1);
  return isEmpty;
}

function writeFloating(reader: JsonReader, writer: ByteWriter, field: JsonField): boolean {
  const isDouble = field.form === FORM.double;
  const value = isDouble ? readDouble(reader) : readFloat(reader);
  if (isDouble) appendDouble(writer, value);
  else appendFloat(writer, value);
  return Object.is(value, 0);
}

function writeInteger64(reader: JsonReader, writer: ByteWriter, field: JsonField): boolean {
  const { form } = field;
  readInteger64(reader, form !== FORM.fixed64 && form !== FORM.uint64);
  integer.toTwosComplement();
  const { high, low } = integer;
  if (form === FORM.fixed64 || form === FORM.sfixed64) {
    appendFixed64(writer, high, low);
  } else if (form === FORM.sint64) {
    const sign = high >> 31;
    appendVarint64(writer, ((high << 1) | (low >>> 31)) ^ sign, (low << 1) ^ sign);
  } else {
    appendVarint64(writer, high, low);
  }
  return high === 0 && low === 0;
}

function writeInteger32(reader: JsonReader, writer: ByteWriter, field: JsonField): boolean {
  const value = readSmall(reader, field);
  switch (field.form) {
    case FORM.fixed32:
    case FORM.sfixed32:
      appendFixed32(writer, value);
      break;
    case FORM.sint32:
      appendVarint32(writer, ((value << 1) ^ (value >> 31)) >>> 0);
      break;
    default:
      // A negative number is extended to 64 bits, as for int64.
      if (value < 0) appendVarint64(writer, -1, value);
      else appendVarint32(writer, value);
  }
  return value === 0;
}

function readSmall(reader: JsonReader, field: JsonField): number {
  switch (field.form) {
    case FORM.enum: {
      const { enumType } = field.schema;
      if (enumType === undefined) throw new TypeError(`\`${field.schema.name}\` has no enum`);
      return readEnum(reader, enumType);
    }
    case FORM.bool:
      return readBoolean(reader) ? 1 : 0;
    case FORM.uint32:
    case FORM.fixed32:
      return readInteger32(reader, 0, MAX_UINT32);
    default:
      return readInteger32(reader, -MAX_INT32 - 1, MAX_INT32);
  }
}

function describeHexId(byteCount: number): string {
  return `${byteCount * 2} hexadecimal digits or ""`;
}
