import { readDouble, readFixed32, readFixed64 } from "../wire/fixed.js";
import { readText } from "../wire/text.js";
import { endOfVarint, readVarint32 } from "../wire/varint.js";
import { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from "../wire/wire-type.js";

// OTLP numbers no field above 16.
const RECORDED_FIELDS = 17;

/**
 * A view that moves from message to message, for whoever looks at one field of very many.
 *
 * Like `MessageView`, but without an object per message: the fields of the current message are recorded
 * when the first of them is asked for, over those of the last one. The bytes must have passed
 * `checkRequest` and must not be modified.
 */
export class MovableView {
  readonly #ranges = new Int32Array(RECORDED_FIELDS * 2);
  #isRecorded = true;
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  #end = 0;
  #serial = 0;

  /** The memory that the message is a part of. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Where the message begins in `bytes`. */
  get start(): number {
    return this.#start;
  }

  /** Where it ends, exclusive. */
  get end(): number {
    return this.#end;
  }

  /** Another number for every message the view has stood on, so that what was read may be kept. */
  get serial(): number {
    return this.#serial;
  }

  /** Stands on the message from `start` (inclusive) to `end` (exclusive) from now on. */
  moveTo(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#serial++;
    this.#isRecorded = false;
  }

  /** Where the content of the last field of that number begins; -1 when there is none. */
  startOf(fieldNumber: number): number {
    if (!this.#isRecorded) this.#record();
    return (this.#ranges[fieldNumber * 2] ?? 0) - 1;
  }

  /** Where the content of the last field of that number ends; -1 when there is none. */
  endOf(fieldNumber: number): number {
    if (!this.#isRecorded) this.#record();
    return (this.#ranges[fieldNumber * 2 + 1] ?? 0) - 1;
  }

  /** A field of kind string; empty when unset. */
  text(fieldNumber: number): string {
    const start = this.startOf(fieldNumber);
    return start < 0 ? "" : readText(this.#bytes, start, this.endOf(fieldNumber));
  }

  /** A field of kind bytes, as a view of the request; empty when unset. */
  binary(fieldNumber: number): Uint8Array {
    const start = Math.max(0, this.startOf(fieldNumber));
    return this.#bytes.subarray(start, Math.max(0, this.endOf(fieldNumber)));
  }

  /** A field of kind uint32, enum or bool, cut to 32 bits; 0 when unset. */
  varint32(fieldNumber: number): number {
    const start = this.startOf(fieldNumber);
    return start < 0 ? 0 : readVarint32(this.#bytes, start);
  }

  /** A field of kind fixed32; 0 when unset. */
  fixed32(fieldNumber: number): number {
    const start = this.startOf(fieldNumber);
    return start < 0 ? 0 : readFixed32(this.#bytes, start);
  }

  /** A field of kind fixed64; 0 when unset. */
  fixed64(fieldNumber: number): bigint {
    const start = this.startOf(fieldNumber);
    return start < 0 ? 0n : readFixed64(this.#bytes, start);
  }

  /** A field of kind double; undefined when unset. */
  double(fieldNumber: number): number | undefined {
    const start = this.startOf(fieldNumber);
    return start < 0 ? undefined : readDouble(this.#bytes, start);
  }

  // Hand-tuned like countItems: one field of an item costs a walk over all of them.
  #record(): void {
    const bytes = this.#bytes;
    const end = this.#end;
    const ranges = this.#ranges.fill(0);
    let offset = this.#start;
    while (offset < end) {
      let tag = bytes[offset] ?? 0;
      if (tag < 0x80) offset++;
      else {
        tag = readVarint32(bytes, offset);
        offset = endOfVarint(bytes, offset);
      }
      let start = offset;
      const wireType = tag & 7;
      if (wireType === LENGTH_DELIMITED) {
        const length = bytes[offset] ?? 0;
        if (length < 0x80) {
          start = offset + 1;
          offset = start + length;
        } else {
          start = endOfVarint(bytes, offset + 1);
          offset = start + readVarint32(bytes, offset);
        }
      } else if (wireType === VARINT) offset = endOfVarint(bytes, offset);
      else if (wireType === FIXED64) offset += 8;
      else if (wireType === FIXED32) offset += 4;
      else break;
      const number = tag >>> 3;
      if (number >= RECORDED_FIELDS) continue;
      // Offsets plus one, so that zero means unset.
      ranges[number * 2] = start + 1;
      ranges[number * 2 + 1] = offset + 1;
    }
    this.#isRecorded = true;
  }
}
