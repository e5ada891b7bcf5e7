import { isUtf8 } from "node:buffer";
import { MAX_NESTED_MESSAGES } from "../check/limits.js";
import type { MessageSchema } from "../schema/message-schema.js";
import { requestSchemas } from "../schema/requests.js";
import type { Signal } from "../signal.js";
import { decodeBase64 } from "./base64.js";
import { ByteWriter } from "./byte-writer.js";
import { decodeHexadecimal } from "./hexadecimal.js";
import {
  FORM,
  type JsonField,
  type JsonKey,
  type JsonMessage,
  jsonMessage,
} from "./json-fields.js";
import { refusePlace, refuseSyntax, refuseValue } from "./json-mapping-error.js";
import { JsonReader } from "./json-reader.js";
import { copyJsonString } from "./json-string.js";
import { messageToJson } from "./protobuf-to-json.js";
import {
  appendDouble,
  appendFixed32,
  appendFixed64,
  appendFloat,
  appendVarint32,
  appendVarint64,
  closeLengthDelimited,
  MAX_SCALAR_BYTES,
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
import { endOfValidUtf8 } from "./valid-utf8.js";

const QUOTE = 0x22;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const MAX_INT32 = 0x7fff_ffff;
const MAX_UINT32 = 0xffff_ffff;
// A tag, a length and the longest scalar.
const MAX_FIELD_BYTES = 10 + MAX_SCALAR_BYTES;

/**
 * Converts an OTLP/JSON export request to protobuf.
 *
 * One pass over the bytes, at less than the cost of `JSON.parse`. The rules, and where they go
 * beyond the specification, are listed in README.md beside this file. `json` is neither kept nor
 * written to; the result is the caller's.
 *
 * @throws JsonMappingError naming byte offset and path, when `json` is not UTF-8, not JSON, or not
 *   a request of this signal
 */
export function jsonToProtobuf(signal: Signal, json: Uint8Array): Uint8Array {
  return jsonToMessage(requestSchemas[signal], json);
}

/** Converts the JSON form of any message to protobuf; see {@link jsonToProtobuf}. */
export function jsonToMessage(schema: MessageSchema, json: Uint8Array): Uint8Array {
  const plain = new Uint8Array(json.buffer, json.byteOffset, json.byteLength);
  if (!isUtf8(plain)) refuseEncoding(plain);
  const { message, hasDuplicates } = transcoder.convert(schema, plain);
  if (!hasDuplicates) return message;
  // A key that came twice left its field twice in the message, which protobuf allows. Going there
  // and back joins the two, so that whoever edits the bytes later finds each field once.
  return transcoder.convert(schema, messageToJson(schema, message)).message;
}

class Transcoder {
  readonly #reader = new JsonReader();
  readonly #writer = new ByteWriter();
  #hasDuplicates = false;

  convert(
    schema: MessageSchema,
    json: Uint8Array,
  ): { readonly message: Uint8Array; readonly hasDuplicates: boolean } {
    const reader = this.#reader;
    try {
      reader.open(json);
      this.#hasDuplicates = false;
      this.#writer.reserve(json.length + MAX_FIELD_BYTES);
      reader.peek();
      this.#writeMessage(jsonMessage(schema), 0);
      reader.peek();
      if (reader.offset < json.length) {
        refuseSyntax(json, reader.offset, "nothing behind the request");
      }
      return { message: this.#writer.take(), hasDuplicates: this.#hasDuplicates };
    } finally {
      reader.close();
      this.#writer.clear();
    }
  }

  // Writes the fields of the object that begins at the next byte; null is an object without any.
  #writeMessage(message: JsonMessage, depth: number): void {
    const reader = this.#reader;
    if (reader.bytes[reader.offset] !== OPEN_OBJECT) {
      if (reader.readNull()) return;
      reader.refuse("an object");
    }
    if (depth > MAX_NESTED_MESSAGES) {
      refusePlace(
        reader.bytes,
        reader.offset,
        `is nested deeper than ${MAX_NESTED_MESSAGES} messages`,
      );
    }
    if (!reader.readOpening(CLOSE_OBJECT)) return;
    let seen = 0;
    let previous: JsonKey | undefined;
    do {
      const keyStart = reader.offset;
      const key = this.#readKey(message, previous);
      const first = reader.readColon();
      if (key === undefined) {
        reader.skipValue();
      } else if (first !== 0x6e || !reader.readNull()) {
        const { field } = key;
        if ((seen & (field.bit | field.oneofBits)) !== 0) this.#noteRepetition(field, keyStart);
        this.#writeField(field, depth, (seen & field.bit) !== 0);
        seen |= field.bit | field.oneofBits;
      }
      previous = key ?? previous;
    } while (reader.readSeparator(CLOSE_OBJECT));
  }

  // Consumes a key; undefined when OTLP has no such field.
  #readKey(message: JsonMessage, previous: JsonKey | undefined): JsonKey | undefined {
    const reader = this.#reader;
    if (reader.peek() !== QUOTE) refuseSyntax(reader.bytes, reader.offset, "a key");
    // Senders write the keys of a message in the same order again and again.
    const expected = previous === undefined ? message.first : previous.next;
    if (expected?.consume(reader)) return expected;
    reader.readText();
    const key = message.find(reader.text, reader.textStart, reader.textEnd);
    if (key !== undefined) {
      if (previous === undefined) message.first = key;
      else previous.next = key;
    }
    return key;
  }

  #noteRepetition(field: JsonField, keyStart: number): void {
    const { oneof, repeated } = field.schema;
    if (oneof !== undefined) {
      refusePlace(this.#reader.bytes, keyStart, `has more than one member of \`${oneof}\``);
    }
    if (!repeated) this.#hasDuplicates = true;
  }

  #writeField(field: JsonField, depth: number, isRepetition: boolean): void {
    const reader = this.#reader;
    const writer = this.#writer;
    if (field.schema.repeated) {
      if (reader.bytes[reader.offset] !== OPEN_LIST) reader.refuse("a list");
      if (!reader.readOpening(CLOSE_LIST)) return;
      if (field.schema.packed) this.#writePacked(field, depth);
      else this.#writeElements(field, depth);
      return;
    }
    writer.reserve(reader.bytes.length - reader.offset + MAX_FIELD_BYTES);
    const start = writer.length;
    appendVarint32(writer, field.tag);
    const isDefault = this.#writeValue(field, depth);
    // A zero has to be written where it replaces an earlier value.
    if (isDefault && !field.schema.hasPresence && !isRepetition) writer.length = start;
  }

  #writeElements(field: JsonField, depth: number): void {
    const reader = this.#reader;
    const writer = this.#writer;
    do {
      reader.peek();
      writer.reserve(reader.bytes.length - reader.offset + MAX_FIELD_BYTES);
      appendVarint32(writer, field.tag);
      this.#writeValue(field, depth);
    } while (reader.readSeparator(CLOSE_LIST));
  }

  #writePacked(field: JsonField, depth: number): void {
    const reader = this.#reader;
    const writer = this.#writer;
    writer.reserve(MAX_FIELD_BYTES);
    appendVarint32(writer, field.tag);
    const contentStart = ++writer.length;
    do {
      reader.peek();
      writer.reserve(MAX_SCALAR_BYTES);
      this.#writeValue(field, depth);
    } while (reader.readSeparator(CLOSE_LIST));
    closeLengthDelimited(writer, contentStart, 1);
  }

  // Writes one value without its tag; returns whether it is the default of its type.
  #writeValue(field: JsonField, depth: number): boolean {
    switch (field.form) {
      case FORM.string:
        return this.#writeString();
      case FORM.message:
        this.#writeNested(field, depth);
        return false;
      case FORM.hexId:
        return this.#writeHexId(field);
      case FORM.bytes:
        return this.#writeBytes();
      case FORM.double:
      case FORM.float:
        return this.#writeFloating(field);
      case FORM.int64:
      case FORM.uint64:
      case FORM.sint64:
      case FORM.fixed64:
      case FORM.sfixed64:
        return this.#writeInteger64(field);
      default:
        return this.#writeInteger32(field);
    }
  }

  #writeString(): boolean {
    const reader = this.#reader;
    const writer = this.#writer;
    if (reader.bytes[reader.offset] !== QUOTE) reader.refuse("a string");
    const contentStart = ++writer.length;
    reader.offset = copyJsonString(reader.bytes, reader.offset + 1, writer);
    const length = writer.length - contentStart;
    if (length < 0x80) writer.bytes[contentStart - 1] = length;
    else closeLengthDelimited(writer, contentStart, 1);
    return length === 0;
  }

  #writeNested(field: JsonField, depth: number): void {
    const writer = this.#writer;
    const message = field.message as JsonMessage;
    const reserved = message.lengthBytes;
    writer.length += reserved;
    const contentStart = writer.length;
    this.#writeMessage(message, depth + 1);
    message.lengthBytes = closeLengthDelimited(writer, contentStart, reserved);
  }

  #writeHexId(field: JsonField): boolean {
    const reader = this.#reader;
    const writer = this.#writer;
    const byteCount = field.schema.hexIdBytes ?? 0;
    const start = reader.offset;
    if (reader.bytes[start] !== QUOTE) reader.refuse(describeHexId(byteCount));
    reader.readText();
    const { text, textStart, textEnd } = reader;
    if (textStart === textEnd) {
      writer.bytes[writer.length++] = 0;
      return true;
    }
    writer.bytes[writer.length++] = byteCount;
    if (
      textEnd - textStart !== byteCount * 2 ||
      !decodeHexadecimal(text, textStart, textEnd, writer)
    ) {
      refuseValue(reader.bytes, start, describeHexId(byteCount));
    }
    return false;
  }

  #writeBytes(): boolean {
    const reader = this.#reader;
    const writer = this.#writer;
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

  #writeFloating(field: JsonField): boolean {
    const isDouble = field.form === FORM.double;
    const value = isDouble ? readDouble(this.#reader) : readFloat(this.#reader);
    if (isDouble) appendDouble(this.#writer, value);
    else appendFloat(this.#writer, value);
    return Object.is(value, 0);
  }

  #writeInteger64(field: JsonField): boolean {
    const writer = this.#writer;
    const { form } = field;
    readInteger64(this.#reader, form !== FORM.fixed64 && form !== FORM.uint64);
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

  #writeInteger32(field: JsonField): boolean {
    const reader = this.#reader;
    const writer = this.#writer;
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
}

const transcoder = new Transcoder();

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

function refuseEncoding(json: Uint8Array): never {
  const offset = endOfValidUtf8(json);
  const byte = (json[offset] ?? 0).toString(16).padStart(2, "0");
  return refusePlace(json, offset, `is not valid UTF-8: byte 0x${byte}`);
}
