import type { AttributeValue } from "../attribute/attribute-value.js";
import { decodeAnyValue, decodeKeyValue } from "../attribute/decode-any-value.js";
import { FieldCursor } from "../wire/field-cursor.js";
import { readDouble, readFixed32, readFixed64 } from "../wire/fixed.js";
import { equalsText, readText } from "../wire/text.js";
import { readVarint32 } from "../wire/varint.js";
import { LENGTH_DELIMITED } from "../wire/wire-type.js";

const KEY = 1;
const VALUE = 2;
// OTLP numbers no field above 16.
const RECORDED_FIELDS = 17;

/**
 * One message of a request, read where it lies.
 *
 * The first access walks the fields once and records where each lies; values are decoded when they
 * are asked for and not kept. The bytes must have passed `checkRequest` and must not be modified.
 */
export abstract class MessageView {
  /** The request that the message is a part of. */
  readonly bytes: Uint8Array;
  /** Where the message begins in `bytes`: after its length. */
  readonly start: number;
  /** Where it ends, exclusive. */
  readonly end: number;
  #ranges: Int32Array | undefined;

  constructor(bytes: Uint8Array, start: number = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  /** Where the content of the last field of that number begins; -1 when there is none. */
  protected startOf(fieldNumber: number): number {
    return (this.#recorded()[fieldNumber * 2] ?? 0) - 1;
  }

  /** Where the content of the last field of that number ends; -1 when there is none. */
  protected endOf(fieldNumber: number): number {
    return (this.#recorded()[fieldNumber * 2 + 1] ?? 0) - 1;
  }

  /** A field of kind string; empty when unset. */
  protected text(fieldNumber: number): string {
    const start = this.startOf(fieldNumber);
    return start < 0 ? "" : readText(this.bytes, start, this.endOf(fieldNumber));
  }

  /** A field of kind bytes, as a view; empty when unset. */
  protected binary(fieldNumber: number): Uint8Array {
    const start = Math.max(0, this.startOf(fieldNumber));
    return this.bytes.subarray(start, Math.max(0, this.endOf(fieldNumber)));
  }

  /** A field of kind uint32, enum or bool, cut to 32 bits; 0 when unset. */
  protected varint32(fieldNumber: number): number {
    const start = this.startOf(fieldNumber);
    return start < 0 ? 0 : readVarint32(this.bytes, start);
  }

  /** A field of kind fixed32; 0 when unset. */
  protected fixed32(fieldNumber: number): number {
    const start = this.startOf(fieldNumber);
    return start < 0 ? 0 : readFixed32(this.bytes, start);
  }

  /** A field of kind fixed64; 0 when unset. */
  protected fixed64(fieldNumber: number): bigint {
    const start = this.startOf(fieldNumber);
    return start < 0 ? 0n : readFixed64(this.bytes, start);
  }

  /** A field of kind double; undefined when unset. */
  protected double(fieldNumber: number): number | undefined {
    const start = this.startOf(fieldNumber);
    return start < 0 ? undefined : readDouble(this.bytes, start);
  }

  /** Calls `make` for every field of that number, in wire order. */
  protected *nested<T>(
    fieldNumber: number,
    make: (bytes: Uint8Array, start: number, end: number) => T,
  ): Generator<T> {
    const field = new FieldCursor(this.bytes, this.start, this.end);
    while (field.next()) {
      if (field.number !== fieldNumber || field.wireType !== LENGTH_DELIMITED) continue;
      yield make(this.bytes, field.contentStart, field.contentEnd);
    }
  }

  #recorded(): Int32Array {
    if (this.#ranges !== undefined) return this.#ranges;
    // Offsets plus one, so that zero means unset.
    const ranges = new Int32Array(RECORDED_FIELDS * 2);
    const field = new FieldCursor(this.bytes, this.start, this.end);
    while (field.next()) {
      if (field.number >= RECORDED_FIELDS) continue;
      ranges[field.number * 2] = field.contentStart + 1;
      ranges[field.number * 2 + 1] = field.contentEnd + 1;
    }
    this.#ranges = ranges;
    return ranges;
  }
}

/** A message with attributes. */
export abstract class AttributedView extends MessageView {
  /** Number of the field that holds the attributes. */
  protected abstract readonly attributesField: number;

  /**
   * The attribute of that key; undefined when there is none, or when its value is empty.
   *
   * Only the value that is asked for is decoded. Of equal keys, which the specification forbids, the
   * first one counts.
   */
  attribute(key: string): AttributeValue {
    const field = new FieldCursor(this.bytes, this.start, this.end);
    while (field.next()) {
      if (field.number !== this.attributesField || field.wireType !== LENGTH_DELIMITED) continue;
      const value = this.#valueIfKey(field.contentStart, field.contentEnd, key);
      if (value !== undefined) return decodeAnyValue(this.bytes, value.start, value.end);
    }
    return undefined;
  }

  /** All attributes, decoded, in wire order. */
  *attributes(): Generator<[key: string, value: AttributeValue], void, undefined> {
    const field = new FieldCursor(this.bytes, this.start, this.end);
    while (field.next()) {
      if (field.number !== this.attributesField || field.wireType !== LENGTH_DELIMITED) continue;
      yield decodeKeyValue(this.bytes, field.contentStart, field.contentEnd);
    }
  }

  #valueIfKey(
    start: number,
    end: number,
    key: string,
  ): { readonly start: number; readonly end: number } | undefined {
    let isKey = key === "";
    let valueStart = start;
    let valueEnd = start;
    const field = new FieldCursor(this.bytes, start, end);
    while (field.next()) {
      if (field.wireType !== LENGTH_DELIMITED) continue;
      if (field.number === KEY) {
        isKey = equalsText(this.bytes, field.contentStart, field.contentEnd, key);
      } else if (field.number === VALUE) {
        valueStart = field.contentStart;
        valueEnd = field.contentEnd;
      }
    }
    return isKey ? { start: valueStart, end: valueEnd } : undefined;
  }
}
