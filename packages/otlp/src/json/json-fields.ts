import type { FieldSchema, MessageSchema, ScalarKind } from "../schema/message-schema.js";
import { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from "../wire/wire-type.js";

// Which fields a message has had so far is kept in the bits of one number.
const MAX_FIELDS = 31;

/** How a value is read from JSON and written to protobuf; small numbers make the switch cheap. */
export const FORM = {
  string: 0,
  message: 1,
  fixed64: 2,
  int64: 3,
  double: 4,
  hexId: 5,
  enum: 6,
  bool: 7,
  uint32: 8,
  fixed32: 9,
  int32: 10,
  sint32: 11,
  uint64: 12,
  sfixed64: 13,
  sint64: 14,
  sfixed32: 15,
  float: 16,
  bytes: 17,
} as const satisfies Record<ScalarKind | "message" | "hexId", number>;

const WIRE_TYPES: Readonly<Record<ScalarKind | "message", number>> = {
  string: LENGTH_DELIMITED,
  message: LENGTH_DELIMITED,
  bytes: LENGTH_DELIMITED,
  fixed64: FIXED64,
  sfixed64: FIXED64,
  double: FIXED64,
  fixed32: FIXED32,
  sfixed32: FIXED32,
  float: FIXED32,
  int64: VARINT,
  enum: VARINT,
  bool: VARINT,
  uint32: VARINT,
  int32: VARINT,
  sint32: VARINT,
  uint64: VARINT,
  sint64: VARINT,
};

/** A field as the conversions need it. */
export class JsonField {
  readonly schema: FieldSchema;
  /** One of {@link FORM}. */
  readonly form: number;
  /** Tag with which the field, or one element of it, is written. */
  readonly tag: number;
  /** This field's bit among the fields of its message. */
  readonly bit: number;
  /** Bits of all members of the same oneof, this one included; 0 outside of a oneof. */
  readonly oneofBits: number;
  /** Wire type of one element. */
  readonly wireType: number;
  readonly repeated: boolean;
  readonly packed: boolean;
  readonly hasPresence: boolean;
  /** The type of the message, set exactly when `form` is `FORM.message`. */
  readonly message: JsonMessage | undefined;
  /** Position among the fields of its message. */
  readonly index: number;
  /** The key as JSON is written, such as `"traceId":`, four bytes each, then spaces. */
  readonly keyWords: Int32Array;
  /** Of that key without the spaces. */
  readonly keyLength: number;

  constructor(owner: MessageSchema, schema: FieldSchema, index: number) {
    if (index >= MAX_FIELDS) {
      throw new RangeError(`\`${owner.name}\` has more than ${MAX_FIELDS} fields`);
    }
    let oneofBits = 0;
    owner.fields.forEach((other, position) => {
      if (schema.oneof !== undefined && other.oneof === schema.oneof) oneofBits |= 1 << position;
    });
    this.schema = schema;
    this.form = schema.hexIdBytes === undefined ? FORM[schema.kind] : FORM.hexId;
    this.wireType = WIRE_TYPES[schema.kind];
    this.repeated = schema.repeated;
    this.packed = schema.packed;
    this.hasPresence = schema.hasPresence;
    this.tag = (schema.number << 3) | (schema.packed ? LENGTH_DELIMITED : this.wireType);
    this.index = index;
    const key = `"${schema.jsonName}":`;
    this.keyWords = toWords(key);
    this.keyLength = key.length;
    this.bit = 1 << index;
    this.oneofBits = oneofBits;
    this.message = schema.message === undefined ? undefined : jsonMessage(schema.message);
  }

  /** Whether the field may come with a wire type; numbers may be packed or not. */
  accepts(wireType: number): boolean {
    return wireType === this.wireType || (this.packed && wireType === LENGTH_DELIMITED);
  }
}

/** One spelling of a field's key. */
export class JsonKey {
  readonly field: JsonField;
  readonly bytes: Uint8Array;
  /** The key that followed this one the last time. */
  next: JsonKey | undefined = undefined;
  // The key in its quotes, four bytes each, of which the last may count in part.
  readonly #words: Int32Array;
  readonly #lastMask: number;

  constructor(name: string, field: JsonField) {
    this.field = field;
    this.bytes = Buffer.from(name, "latin1");
    this.#words = toWords(`"${name}"`);
    const unused = this.#words.length * 4 - name.length - 2;
    this.#lastMask = (-1 >>> (unused * 8)) | 0;
  }

  /**
   * Offset behind this key if it comes, in its quotes, at `start`; else 0.
   *
   * Near the end of the input it may say 0 where they do: four bytes are compared at a time.
   */
  endAt(start: number, view: DataView): number {
    const words = this.#words;
    const last = words.length - 1;
    if (start + last * 4 + 4 > view.byteLength) return 0;
    for (let index = 0; index < last; index++) {
      if (view.getInt32(start + index * 4, true) !== words[index]) return 0;
    }
    const word = view.getInt32(start + last * 4, true);
    if (((word ^ (words[last] as number)) & this.#lastMask) !== 0) return 0;
    return start + this.bytes.length + 2;
  }
}

/** A message as the conversions need it: tables of its keys and of its field numbers. */
export class JsonMessage {
  /** The key that came first the last time. */
  first: JsonKey | undefined = undefined;
  /** Bytes that the length of such a message took the last time. */
  lengthBytes = 1;
  /** In the order of the .proto file. */
  fields: readonly JsonField[] = [];
  /** By field number; undefined where OTLP has no such field. */
  byNumber: readonly (JsonField | undefined)[] = [];
  #slots: readonly (JsonKey | undefined)[] = [];

  /** Makes the table; apart from the constructor, since a message may contain itself. */
  compile(schema: MessageSchema): void {
    this.fields = schema.fields.map((field, index) => new JsonField(schema, field, index));
    const byNumber: (JsonField | undefined)[] = [];
    for (const field of this.fields) {
      while (byNumber.length <= field.schema.number) byNumber.push(undefined);
      byNumber[field.schema.number] = field;
    }
    this.byNumber = byNumber;
    this.#slots = hashKeys(
      this.fields.flatMap((field) => {
        const names = new Set([field.schema.jsonName, field.schema.name]);
        return Array.from(names, (name) => new JsonKey(name, field));
      }),
    );
  }

  /** The key with exactly the name in `bytes[start, end)`. */
  find(bytes: Uint8Array, start: number, end: number): JsonKey | undefined {
    const mask = this.#slots.length - 1;
    let slot = hash(bytes, start, end) & mask;
    for (;;) {
      const key = this.#slots[slot];
      if (key === undefined || equals(key.bytes, bytes, start, end)) return key;
      slot = (slot + 1) & mask;
    }
  }
}

const compiledMessages = new Map<MessageSchema, JsonMessage>();

/** The table of a message, made on first use. */
export function jsonMessage(schema: MessageSchema): JsonMessage {
  let message = compiledMessages.get(schema);
  if (message === undefined) {
    message = new JsonMessage();
    compiledMessages.set(schema, message);
    message.compile(schema);
  }
  return message;
}

// At most a quarter of the slots is taken, so that an unknown key is found missing at once.
function hashKeys(keys: readonly JsonKey[]): readonly (JsonKey | undefined)[] {
  let size = 8;
  while (size < keys.length * 4) size *= 2;
  const slots = new Array<JsonKey | undefined>(size).fill(undefined);
  for (const key of keys) {
    let slot = hash(key.bytes, 0, key.bytes.length) & (size - 1);
    while (slots[slot] !== undefined) slot = (slot + 1) & (size - 1);
    slots[slot] = key;
  }
  return slots;
}

function hash(bytes: Uint8Array, start: number, end: number): number {
  let value = end - start;
  for (let at = start; at < end; at++) value = (Math.imul(value, 31) + (bytes[at] as number)) | 0;
  return value ^ (value >>> 7);
}

function equals(key: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let index = 0; index < key.length; index++) {
    if (key[index] !== bytes[start + index]) return false;
  }
  return true;
}

// Four ASCII characters each, the first in the lowest bits; spaces fill the last one up.
function toWords(text: string): Int32Array {
  const count = Math.ceil(text.length / 4);
  const bytes = Buffer.from(text.padEnd(count * 4), "latin1");
  return Int32Array.from({ length: count }, (_, index) => bytes.readInt32LE(index * 4));
}
