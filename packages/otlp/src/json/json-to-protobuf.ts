import { isUtf8 } from "node:buffer";
import { MAX_NESTED_MESSAGES } from "../check/limits.js";
import type { MessageSchema } from "../schema/message-schema.js";
import { requestSchemas } from "../schema/requests.js";
import type { Signal } from "../signal.js";
import { ByteWriter } from "./byte-writer.js";
import {
  FORM,
  type JsonField,
  type JsonKey,
  type JsonMessage,
  jsonMessage,
} from "./json-fields.js";
import { refusePlace, refuseSyntax } from "./json-mapping-error.js";
import { JsonReader } from "./json-reader.js";
import { messageToJson } from "./protobuf-to-json.js";
import { appendVarint32, closeLengthDelimited, MAX_SCALAR_BYTES } from "./protobuf-values.js";
import { endOfValidUtf8 } from "./valid-utf8.js";
import { writeScalar } from "./write-scalar.js";

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

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
  // and back joins the two: whoever edits the bytes later finds each field once, and the Collector,
  // which of a packed list in two parts keeps the second only, finds all of it.
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
    const { bytes, view } = reader;
    let seen = 0;
    let previous: JsonKey | undefined;
    for (;;) {
      const keyStart = reader.offset;
      // Senders write the keys of a message in the same order again and again.
      let key = previous === undefined ? message.first : previous.next;
      const keyEnd = key === undefined ? 0 : key.endAt(keyStart, view);
      if (keyEnd > 0) reader.offset = keyEnd;
      else key = this.#findKey(message, previous);
      const first = readColon(reader);
      if (key === undefined) {
        reader.skipValue();
      } else if (first !== 0x6e || !reader.readNull()) {
        const { field } = key;
        const bits = field.bit | field.oneofBits;
        if ((seen & bits) !== 0) this.#noteRepetition(field, keyStart);
        this.#writeField(field, depth, (seen & field.bit) !== 0);
        seen |= bits;
        previous = key;
      }
      // The usual byte behind a value, before the general case.
      const at = reader.offset;
      const next = at < bytes.length ? bytes[at] : 0;
      if (next === COMMA) {
        reader.offset = at + 1;
      } else if (next === CLOSE_OBJECT) {
        reader.offset = at + 1;
        return;
      } else if (!reader.readSeparator(CLOSE_OBJECT)) {
        return;
      }
    }
  }

  // Consumes a key; undefined when OTLP has no such field.
  #findKey(message: JsonMessage, previous: JsonKey | undefined): JsonKey | undefined {
    const reader = this.#reader;
    if (reader.peek() !== QUOTE) refuseSyntax(reader.bytes, reader.offset, "a key");
    reader.readText();
    const key = message.find(reader.text, reader.textStart, reader.textEnd);
    if (key !== undefined) {
      if (previous === undefined) message.first = key;
      else previous.next = key;
    }
    return key;
  }

  #noteRepetition(field: JsonField, keyStart: number): void {
    const { jsonName, oneof } = field.schema;
    if (oneof !== undefined) {
      const problem = `sets \`${jsonName}\`, but a member of \`${oneof}\` is set already`;
      refusePlace(this.#reader.bytes, keyStart, problem);
    }
    if (!field.repeated || field.packed) this.#hasDuplicates = true;
  }

  #writeField(field: JsonField, depth: number, isRepetition: boolean): void {
    const reader = this.#reader;
    const writer = this.#writer;
    if (field.repeated) {
      if (reader.bytes[reader.offset] !== OPEN_LIST) reader.refuse("a list");
      if (!reader.readOpening(CLOSE_LIST)) return;
      if (field.packed) this.#writePacked(field, depth);
      else this.#writeElements(field, depth);
      return;
    }
    writer.reserve(reader.bytes.length - reader.offset + MAX_FIELD_BYTES);
    const start = writer.length;
    appendVarint32(writer, field.tag);
    const isDefault = this.#writeValue(field, depth);
    // A zero has to be written where it replaces an earlier value.
    if (isDefault && !field.hasPresence && !isRepetition) writer.length = start;
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
    if (field.form !== FORM.message) return writeScalar(this.#reader, this.#writer, field);
    this.#writeNested(field, depth);
    return false;
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
}

const transcoder = new Transcoder();

// Consumes a colon and returns the first byte of the value: usually the next byte.
function readColon(reader: JsonReader): number {
  const { bytes, offset } = reader;
  if (offset + 1 < bytes.length && bytes[offset] === COLON) {
    const first = bytes[offset + 1] as number;
    if (first > 0x20) {
      reader.offset = offset + 1;
      return first;
    }
  }
  return reader.readColon();
}

function refuseEncoding(json: Uint8Array): never {
  const offset = endOfValidUtf8(json);
  const byte = (json[offset] ?? 0).toString(16).padStart(2, "0");
  return refusePlace(json, offset, `is not valid UTF-8: byte 0x${byte}`);
}
