import { FieldCursor } from "../wire/field-cursor.js";
import { endOfVarint, readVarint32, varint32Length } from "../wire/varint.js";
import { FIXED64, LENGTH_DELIMITED, VARINT } from "../wire/wire-type.js";
import { WireWriter } from "../wire/wire-writer.js";
import type { SpliceTarget } from "./request-splice.js";

/** Attributes of one list that can be edited; SDKs send at most 128 unless told otherwise. */
export const EDITED_ATTRIBUTES_MAX = 65_536;

/** A list has more attributes than can be edited: {@link EDITED_ATTRIBUTES_MAX}. */
export class TooManyAttributesError extends Error {
  override readonly name = "TooManyAttributesError";
}

const KEY = 1;
const VALUE = 2;
const KEY_TAG = (KEY << 3) | LENGTH_DELIMITED;
const VALUE_TAG = (VALUE << 3) | LENGTH_DELIMITED;

// Numbers of one attribute in the index: its field, its key, its value, and the field of its value.
const FIELD_START = 0;
const CONTENT_START = 1;
const END = 2;
const KEY_START = 3;
const KEY_END = 4;
const VALUE_FIELD_START = 5;
const VALUE_START = 6;
const VALUE_END = 7;
const NUMBERS = 8;

const INITIAL_ATTRIBUTES = 64;
const empty = new Uint8Array();

/** An attribute that was not there: its key in UTF-8 and its AnyValue message. */
interface AddedAttribute {
  readonly key: Uint8Array;
  value: Uint8Array | undefined;
}

/** The field of an added attribute, for the next message that gets the same one. */
interface EncodedAttribute {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly field: number;
  readonly bytes: Uint8Array;
}

/** Added attributes whose field is remembered: more than a configuration usually adds. */
const ENCODED_KEPT = 32;

/**
 * The attributes of one message, to be read and changed without decoding those nobody asks for.
 *
 * Load a message, change it by index, write the result; then load the next one: the memory is used again.
 * Keys are UTF-8, values are AnyValue messages, both as bytes. An index stays valid until the next
 * `load`. Of equal keys, which the specification forbids, `find` gives the first.
 */
export class AttributeList {
  #bytes: Uint8Array = empty;
  #start = 0;
  #end = 0;
  #field = 0;
  #count = 0;
  #index = new Int32Array(INITIAL_ATTRIBUTES * NUMBERS);
  // By position; undefined while unchanged, null when removed.
  #changes: (Uint8Array | null | undefined)[] = [];
  readonly #added: AddedAttribute[] = [];
  readonly #encoded: EncodedAttribute[] = [];
  #isChanged = false;

  /** Whether anything differs from the message as it was loaded. */
  get isChanged(): boolean {
    return this.#isChanged;
  }

  /** Number of indexes in use, removed attributes included. */
  get length(): number {
    return this.#count + this.#added.length;
  }

  /**
   * Begins with a message, from `start` (inclusive) to `end` (exclusive).
   *
   * @param attributesField number of the field of its attributes
   * @throws TooManyAttributesError beyond {@link EDITED_ATTRIBUTES_MAX}
   */
  load(bytes: Uint8Array, start: number, end: number, attributesField: number): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#field = attributesField;
    this.#count = 0;
    if (this.#isChanged) {
      this.#changes = [];
      this.#added.length = 0;
      this.#isChanged = false;
    }
    // Hand-tuned like `countItems`: one byte of a tag and two of a length are read in place.
    const tag = attributesField * 8 + LENGTH_DELIMITED;
    let offset = start;
    while (offset < end) {
      const fieldStart = offset;
      const first = bytes[offset] ?? 0;
      const fieldTag = first < 0x80 ? first : readVarint32(bytes, offset);
      offset = first < 0x80 ? offset + 1 : endOfVarint(bytes, offset);
      const wireType = fieldTag & 7;
      if (wireType === LENGTH_DELIMITED) {
        let length = bytes[offset] ?? 0;
        if (length < 0x80) offset++;
        else {
          length = readVarint32(bytes, offset);
          offset = endOfVarint(bytes, offset + 1);
        }
        const contentStart = offset;
        offset += length;
        if (fieldTag === tag) this.#record(fieldStart, contentStart, offset);
      } else offset = endOfScalar(bytes, offset, wireType);
    }
  }

  /** Forgets the message, so that its request can be freed; before the next one is loaded or not at all. */
  unload(): void {
    this.load(empty, 0, 0, 0);
  }

  /** Index of the attribute of that key, at or after `from`; -1 when there is none. */
  find(key: Uint8Array, from: number = 0): number {
    const index = this.#index;
    const length = key.byteLength;
    for (let position = from; position < this.#count; position++) {
      const at = position * NUMBERS;
      const keyStart = index[at + KEY_START] ?? 0;
      if ((index[at + KEY_END] ?? 0) - keyStart !== length) continue;
      if (isEqual(this.#bytes, keyStart, key) && !this.isRemoved(position)) return position;
    }
    for (
      let position = Math.max(0, from - this.#count);
      position < this.#added.length;
      position++
    ) {
      const added = this.#added[position];
      if (added === undefined || added.value === undefined) continue;
      if (added.key.byteLength === length && isEqual(added.key, 0, key)) {
        return this.#count + position;
      }
    }
    return -1;
  }

  /** Whether the attribute was removed. */
  isRemoved(position: number): boolean {
    if (position >= this.#count) return this.#added[position - this.#count]?.value === undefined;
    return this.#isChanged && this.#changes[position] === null;
  }

  /** The key of an attribute as UTF-8, a view. */
  key(position: number): Uint8Array {
    if (position >= this.#count) return this.#added[position - this.#count]?.key ?? empty;
    const at = position * NUMBERS;
    return this.#bytes.subarray(this.#index[at + KEY_START], this.#index[at + KEY_END]);
  }

  /** The AnyValue message of an attribute, a view; empty when it has no value or was removed. */
  value(position: number): Uint8Array {
    if (position >= this.#count) return this.#added[position - this.#count]?.value ?? empty;
    const changed = this.#isChanged ? this.#changes[position] : undefined;
    if (changed !== undefined) return changed ?? empty;
    const at = position * NUMBERS;
    return this.#bytes.subarray(this.#index[at + VALUE_START], this.#index[at + VALUE_END]);
  }

  /** Gives an attribute another value; `value` must not be modified afterwards. */
  setValue(position: number, value: Uint8Array): void {
    this.#isChanged = true;
    if (position < this.#count) this.#changes[position] = value;
    else {
      const added = this.#added[position - this.#count];
      if (added !== undefined) added.value = value;
    }
  }

  /** Appends an attribute; neither `key` nor `value` may be modified afterwards. */
  add(key: Uint8Array, value: Uint8Array): void {
    this.#isChanged = true;
    this.#added.push({ key, value });
  }

  /** Takes an attribute out. */
  remove(position: number): void {
    this.#isChanged = true;
    if (position < this.#count) this.#changes[position] = null;
    else {
      const added = this.#added[position - this.#count];
      if (added !== undefined) added.value = undefined;
    }
  }

  /** Adds the whole message to `target`, other fields as they were, new attributes last. */
  writeTo(target: SpliceTarget): void {
    let keptUntil = this.#start;
    for (let position = 0; position < this.#count; position++) {
      const change = this.#changes[position];
      if (change === undefined) continue;
      const at = position * NUMBERS;
      target.keep(keptUntil, this.#index[at + FIELD_START] ?? 0);
      keptUntil = this.#index[at + END] ?? 0;
      if (change !== null) this.#writeChanged(target, at, change);
    }
    target.keep(keptUntil, this.#end);
    for (let position = 0; position < this.#added.length; position++) {
      const added = this.#added[position];
      if (added?.value === undefined) continue;
      target.insert(this.#encode(position, added.key, added.value));
    }
  }

  /** The whole field of an attribute; the one before is used again while key and value are the same. */
  #encode(position: number, key: Uint8Array, value: Uint8Array): Uint8Array {
    const known = this.#encoded[position];
    if (known?.key === key && known.value === value && known.field === this.#field) {
      return known.bytes;
    }
    const writer = new WireWriter(fieldLength(key.byteLength) + fieldLength(value.byteLength) + 10);
    const mark = writer.startMessage(this.#field);
    writer.bytesField(KEY, key);
    writer.bytesField(VALUE, value);
    writer.endMessage(mark);
    const bytes = writer.finish();
    // A view of the message would keep its whole request in memory.
    if (position < ENCODED_KEPT && value.buffer !== this.#bytes.buffer)
      this.#encoded[position] = { key, value, field: this.#field, bytes };
    return bytes;
  }

  // Everything in the attribute but its value stays, fields that OTLP does not define too.
  #writeChanged(target: SpliceTarget, at: number, value: Uint8Array): void {
    const contentStart = this.#index[at + CONTENT_START] ?? 0;
    const end = this.#index[at + END] ?? 0;
    const valueEnd = this.#index[at + VALUE_END] ?? 0;
    const valueFieldStart = this.#index[at + VALUE_FIELD_START] ?? 0;
    const kept = end - contentStart - (valueEnd - valueFieldStart);
    target.insertHeader(this.#field, kept + fieldLength(value.byteLength));
    target.keep(contentStart, valueFieldStart);
    target.insertHeader(VALUE, value.byteLength);
    target.insert(value);
    target.keep(valueEnd, end);
  }

  #record(fieldStart: number, contentStart: number, end: number): void {
    const at = this.#count * NUMBERS;
    if (at === this.#index.length) this.#grow();
    const index = this.#index;
    index[at + FIELD_START] = fieldStart;
    index[at + CONTENT_START] = contentStart;
    index[at + END] = end;
    index[at + KEY_START] = contentStart;
    index[at + KEY_END] = contentStart;
    // Without a value: where one would go.
    index[at + VALUE_FIELD_START] = end;
    index[at + VALUE_START] = end;
    index[at + VALUE_END] = end;
    this.#count++;
    if (this.#recordUsual(at, contentStart, end)) return;
    const field = new FieldCursor(this.#bytes, contentStart, end);
    while (field.next()) {
      if (field.wireType !== LENGTH_DELIMITED) continue;
      if (field.number === KEY) {
        index[at + KEY_START] = field.contentStart;
        index[at + KEY_END] = field.contentEnd;
      } else if (field.number === VALUE) {
        index[at + VALUE_FIELD_START] = field.fieldStart;
        index[at + VALUE_START] = field.contentStart;
        index[at + VALUE_END] = field.contentEnd;
      }
    }
  }

  /** Records what nearly every sender writes: one key, then one value, both below 128 bytes. */
  #recordUsual(at: number, contentStart: number, end: number): boolean {
    const bytes = this.#bytes;
    const keyLength = bytes[contentStart + 1] ?? 0;
    const valueField = contentStart + 2 + keyLength;
    if (bytes[contentStart] !== KEY_TAG || keyLength >= 0x80 || valueField + 2 > end) return false;
    const valueLength = bytes[valueField + 1] ?? 0;
    if (bytes[valueField] !== VALUE_TAG || valueLength >= 0x80) return false;
    if (valueField + 2 + valueLength !== end) return false;
    const index = this.#index;
    index[at + KEY_START] = contentStart + 2;
    index[at + KEY_END] = valueField;
    index[at + VALUE_FIELD_START] = valueField;
    index[at + VALUE_START] = valueField + 2;
    index[at + VALUE_END] = end;
    return true;
  }

  #grow(): void {
    if (this.#count >= EDITED_ATTRIBUTES_MAX) {
      throw new TooManyAttributesError(
        `a list has more than ${EDITED_ATTRIBUTES_MAX} attributes, the most that can be edited`,
      );
    }
    const grown = new Int32Array(this.#index.length * 2);
    grown.set(this.#index);
    this.#index = grown;
  }
}

function endOfScalar(bytes: Uint8Array, offset: number, wireType: number): number {
  if (wireType === VARINT) return endOfVarint(bytes, offset);
  return offset + (wireType === FIXED64 ? 8 : 4);
}

// From the end: attribute names share their beginnings.
function isEqual(bytes: Uint8Array, start: number, key: Uint8Array): boolean {
  for (let index = key.byteLength - 1; index >= 0; index--) {
    if (bytes[start + index] !== key[index]) return false;
  }
  return true;
}

/** Length of a field with a number below 16 and content of this length. */
function fieldLength(contentLength: number): number {
  return 1 + varint32Length(contentLength) + contentLength;
}
