import { isUtf8 } from "node:buffer";
import { MAX_NESTED_MESSAGES } from "../check/limits.js";
import type { MessageSchema } from "../schema/message-schema.js";
import { requestSchemas } from "../schema/requests.js";
import type { Signal } from "../signal.js";
import { endOfVarint, readInt64, readUint64, readVarint32 } from "../wire/varint.js";
import { FIXED32, FIXED64, LENGTH_DELIMITED } from "../wire/wire-type.js";
import { encodeBase64 } from "./base64.js";
import { ByteWriter } from "./byte-writer.js";
import { ENTRY_NUMBERS, FieldIndex } from "./field-index.js";
import { encodeHexadecimal } from "./hexadecimal.js";
import { FORM, type JsonField, type JsonMessage, jsonMessage } from "./json-fields.js";
import { JsonMappingError } from "./json-mapping-error.js";
import { jsonPathAt } from "./json-path.js";
import {
  appendAscii,
  appendInteger,
  appendJsonString,
  appendNumber,
  appendSigned64,
  appendUnsigned64,
  MAX_NUMBER_TEXT,
} from "./json-text.js";
import { endOfValidUtf8 } from "./valid-utf8.js";

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const NOTHING = new Uint8Array(0);

/**
 * Converts a protobuf export request to compact OTLP/JSON.
 *
 * Fields that OTLP does not define are dropped. What is written, and how, is listed in README.md
 * beside this file. `bytes` should have passed the framing check; they are neither kept nor written
 * to. The result is the caller's.
 *
 * @throws JsonMappingError when the framing is broken, a string is not UTF-8, or messages are
 *   nested deeper than {@link MAX_NESTED_MESSAGES}
 */
export function protobufToJson(signal: Signal, bytes: Uint8Array): Uint8Array {
  return messageToJson(requestSchemas[signal], bytes);
}

/** Converts any protobuf message to JSON; see {@link protobufToJson}. */
export function messageToJson(schema: MessageSchema, bytes: Uint8Array): Uint8Array {
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const json = transcoder.convert(schema, plain);
  if (!isUtf8(json)) {
    const path = jsonPathAt(json, endOfValidUtf8(json));
    throw new JsonMappingError(`\`${path}\` is not valid UTF-8`, path, undefined);
  }
  return json;
}

class Transcoder {
  readonly #writer = new ByteWriter();
  readonly #index = new FieldIndex();
  #bytes: Uint8Array = NOTHING;
  #view: DataView = new DataView(NOTHING.buffer);

  convert(schema: MessageSchema, bytes: Uint8Array): Uint8Array {
    try {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.#writer.reserve(bytes.length * 2);
      this.#writeMessage(jsonMessage(schema), 0, bytes.length, 0);
      return this.#writer.take();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const message = `not a protobuf ${schema.name}: ${error.message}`;
      throw new JsonMappingError(message, "", undefined);
    } finally {
      this.#bytes = NOTHING;
      this.#view = new DataView(NOTHING.buffer);
      this.#writer.clear();
      this.#index.clear();
    }
  }

  #writeMessage(message: JsonMessage, start: number, end: number, depth: number): void {
    const base = this.#index.top;
    this.#index.pushMessage(message, this.#bytes, start, end);
    this.#writeFields(message, base, depth);
  }

  // Writes the entries from `base` on as one object, and takes them off the stack.
  #writeFields(message: JsonMessage, base: number, depth: number): void {
    if (depth > MAX_NESTED_MESSAGES) {
      throw new RangeError(`nested deeper than ${MAX_NESTED_MESSAGES} messages`);
    }
    const index = this.#index;
    const writer = this.#writer;
    writer.reserve(MAX_NUMBER_TEXT);
    writer.bytes[writer.length++] = OPEN_OBJECT;
    const end = index.top;
    let at = base;
    while (at < end) {
      const position = index.entries[at] as number;
      let next = at + ENTRY_NUMBERS;
      while (next < end && index.entries[next] === position) next += ENTRY_NUMBERS;
      const field = message.fields[position] as JsonField;
      const start = writer.length;
      writer.reserve(field.keyLength + MAX_NUMBER_TEXT);
      appendKey(writer, field);
      const isDefault = field.repeated
        ? this.#writeList(field, at, next, depth)
        : this.#writeSingle(field, at, next, depth);
      if (isDefault && !field.hasPresence) writer.length = start;
      else appendComma(writer);
      at = next;
    }
    closeBracket(writer, CLOSE_OBJECT);
    index.top = base;
  }

  #writeSingle(field: JsonField, entry: number, next: number, depth: number): boolean {
    const { entries } = this.#index;
    if (field.message !== undefined && next - entry > ENTRY_NUMBERS) {
      const base = this.#index.top;
      this.#index.pushParts(field.message, this.#bytes, entry, next);
      this.#writeFields(field.message, base, depth + 1);
      return false;
    }
    const start = entries[entry + 2] as number;
    return this.#writeValue(field, start, entries[entry + 3] as number, depth);
  }

  // Returns whether the list is empty.
  #writeList(field: JsonField, first: number, next: number, depth: number): boolean {
    const writer = this.#writer;
    writer.bytes[writer.length++] = OPEN_LIST;
    const contentStart = writer.length;
    for (let entry = first; entry < next; entry += ENTRY_NUMBERS) {
      const { entries } = this.#index;
      const start = entries[entry + 2] as number;
      const end = entries[entry + 3] as number;
      if (field.packed && entries[entry + 1] === LENGTH_DELIMITED) {
        this.#writePacked(field, start, end, depth);
      } else {
        writer.reserve(MAX_NUMBER_TEXT);
        this.#writeValue(field, start, end, depth);
        appendComma(writer);
      }
    }
    const isEmpty = writer.length === contentStart;
    closeBracket(writer, CLOSE_LIST);
    return isEmpty;
  }

  #writePacked(field: JsonField, start: number, end: number, depth: number): void {
    const writer = this.#writer;
    let at = start;
    while (at < end) {
      const next = this.#endOfElement(field.wireType, at);
      if (next > end) throw new RangeError(`\`${field.schema.name}\` ends within an element`);
      writer.reserve(MAX_NUMBER_TEXT);
      this.#writeValue(field, at, next, depth);
      appendComma(writer);
      at = next;
    }
  }

  #endOfElement(wireType: number, start: number): number {
    if (wireType === FIXED64) return start + 8;
    return wireType === FIXED32 ? start + 4 : endOfVarint(this.#bytes, start);
  }

  // Writes the value in bytes[start, end); returns whether it is the default of its type.
  #writeValue(field: JsonField, start: number, end: number, depth: number): boolean {
    const writer = this.#writer;
    switch (field.form) {
      case FORM.string:
        appendJsonString(writer, this.#bytes, this.#view, start, end);
        return start === end;
      case FORM.message:
        this.#writeMessage(field.message as JsonMessage, start, end, depth + 1);
        return false;
      case FORM.hexId:
      case FORM.bytes:
        this.#writeBytes(field, start, end);
        return start === end;
      case FORM.double:
      case FORM.float: {
        const isDouble = field.form === FORM.double;
        const value = isDouble
          ? this.#view.getFloat64(start, true)
          : this.#view.getFloat32(start, true);
        appendNumber(writer, value);
        return Object.is(value, 0);
      }
      case FORM.fixed64:
      case FORM.sfixed64:
        return this.#writeFixed64(field, start);
      case FORM.int64:
      case FORM.uint64:
      case FORM.sint64:
        return this.#writeVarint64(field, start);
      default:
        return this.#writeInteger32(field, start);
    }
  }

  #writeBytes(field: JsonField, start: number, end: number): void {
    const writer = this.#writer;
    writer.reserve((end - start) * 2 + MAX_NUMBER_TEXT);
    writer.bytes[writer.length++] = QUOTE;
    if (field.form === FORM.hexId) encodeHexadecimal(this.#bytes, start, end, writer);
    else encodeBase64(this.#bytes, start, end, writer);
    writer.bytes[writer.length++] = QUOTE;
  }

  #writeFixed64(field: JsonField, start: number): boolean {
    const writer = this.#writer;
    const low = this.#view.getInt32(start, true);
    const high = this.#view.getInt32(start + 4, true);
    writer.bytes[writer.length++] = QUOTE;
    if (field.form === FORM.fixed64) appendUnsigned64(writer, high, low);
    else appendSigned64(writer, high, low);
    writer.bytes[writer.length++] = QUOTE;
    return high === 0 && low === 0;
  }

  #writeVarint64(field: JsonField, start: number): boolean {
    const writer = this.#writer;
    const bytes = this.#bytes;
    let value = field.form === FORM.int64 ? readInt64(bytes, start) : readUint64(bytes, start);
    if (field.form === FORM.sint64) {
      const wide = BigInt(value);
      value = (wide >> 1n) ^ -(wide & 1n);
    }
    writer.bytes[writer.length++] = QUOTE;
    if (typeof value === "number") appendInteger(writer, value);
    else appendAscii(writer, value.toString());
    writer.bytes[writer.length++] = QUOTE;
    return value === 0 || value === 0n;
  }

  #writeInteger32(field: JsonField, start: number): boolean {
    const writer = this.#writer;
    if (field.form === FORM.bool) {
      const value = readUint64(this.#bytes, start) !== 0;
      appendAscii(writer, value ? "true" : "false");
      return !value;
    }
    const value = this.#readInteger32(field, start);
    appendInteger(writer, value);
    return value === 0;
  }

  #readInteger32(field: JsonField, start: number): number {
    switch (field.form) {
      case FORM.fixed32:
        return this.#view.getUint32(start, true);
      case FORM.sfixed32:
        return this.#view.getInt32(start, true);
      case FORM.uint32:
        return readVarint32(this.#bytes, start);
      case FORM.sint32: {
        const value = readVarint32(this.#bytes, start);
        return (value >>> 1) ^ -(value & 1);
      }
      default:
        return readVarint32(this.#bytes, start) | 0;
    }
  }
}

const transcoder = new Transcoder();

function appendKey(writer: ByteWriter, field: JsonField): void {
  const { view } = writer;
  const { keyWords } = field;
  let at = writer.length;
  for (let index = 0; index < keyWords.length; index++, at += 4) {
    view.setInt32(at, keyWords[index] as number, true);
  }
  writer.length += field.keyLength;
}

// Every member is followed by a comma, for which every value leaves room; the bracket takes the
// place of the last one.
function appendComma(writer: ByteWriter): void {
  writer.bytes[writer.length++] = COMMA;
}

function closeBracket(writer: ByteWriter, bracket: number): void {
  writer.reserve(MAX_NUMBER_TEXT);
  if (writer.bytes[writer.length - 1] === COMMA) writer.length--;
  writer.bytes[writer.length++] = bracket;
}
