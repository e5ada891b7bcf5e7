import { endOfVarint, readVarint32 } from "../wire/varint.js";
import { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from "../wire/wire-type.js";
import type { JsonMessage } from "./json-fields.js";
import { MAX_RETAINED_BYTES } from "./limits.js";

/** Numbers in one entry: position of the field in its message, wire type, content start and end. */
export const ENTRY_NUMBERS = 4;

const INITIAL_ENTRIES = 1024;

/**
 * The known fields of the protobuf messages that are being converted, as entries on one stack.
 *
 * A message pushes its entries, works through them from where the stack was before, and takes them
 * away by setting {@link top} back. All entries of one field lie next to each other, wherever in
 * the message they were.
 */
export class FieldIndex {
  entries: Int32Array = new Int32Array(INITIAL_ENTRIES * ENTRY_NUMBERS);
  /** Where the next entry goes. */
  top = 0;

  /** Takes all entries away, and gives memory above {@link MAX_RETAINED_BYTES} back. */
  clear(): void {
    this.top = 0;
    if (this.entries.byteLength > MAX_RETAINED_BYTES) {
      this.entries = new Int32Array(INITIAL_ENTRIES * ENTRY_NUMBERS);
    }
  }

  /**
   * Pushes the known fields of the message in `bytes[start, end)`; the others are left out, also
   * known ones with a wire type that is not theirs, as protobuf demands.
   *
   * @throws RangeError when the message is broken
   */
  pushMessage(message: JsonMessage, bytes: Uint8Array, start: number, end: number): void {
    const base = this.top;
    if (!this.#pushFields(message, bytes, start, end)) this.#arrange(message, base);
  }

  /** Pushes the fields of a message that lies in several parts: those whose entries are given. */
  pushParts(message: JsonMessage, bytes: Uint8Array, parts: number, partsEnd: number): void {
    const base = this.top;
    for (let part = parts; part < partsEnd; part += ENTRY_NUMBERS) {
      const start = this.entries[part + 2] as number;
      const end = this.entries[part + 3] as number;
      this.#pushFields(message, bytes, start, end);
    }
    this.#arrange(message, base);
  }

  // Returns whether the fields lie together and none of them has to give way to another.
  #pushFields(message: JsonMessage, bytes: Uint8Array, start: number, end: number): boolean {
    const { byNumber } = message;
    let seen = 0;
    let previous = 0;
    let isArranged = true;
    let at = start;
    while (at < end) {
      const tag = readVarint32(bytes, at);
      let contentStart = endOfVarint(bytes, at);
      const wireType = tag & 7;
      let contentEnd = contentStart;
      if (wireType === LENGTH_DELIMITED) {
        const length = readVarint32(bytes, contentStart);
        contentStart = endOfVarint(bytes, contentStart);
        contentEnd = contentStart + length;
      } else {
        contentEnd = endOfScalar(bytes, contentStart, wireType);
      }
      if (contentEnd > end) throw new RangeError(`the field at byte ${at} ends behind its message`);
      at = contentEnd;
      const number = tag >>> 3;
      const field = number < byNumber.length ? byNumber[number] : undefined;
      if (field === undefined || !field.accepts(wireType)) continue;
      const { bit } = field;
      const isRepetition = (seen & (bit | field.oneofBits)) !== 0;
      if (isRepetition && !(field.repeated && bit === previous)) isArranged = false;
      seen |= bit | field.oneofBits;
      previous = bit;
      this.#push(field.index, wireType, contentStart, contentEnd);
    }
    return isArranged;
  }

  // Brings the entries of a field together, in the order in which the fields first came. Of a
  // scalar the last one stays, of a oneof the last member; parts of one message all stay.
  #arrange(message: JsonMessage, base: number): void {
    const groups = new Map<number, number[]>();
    for (let at = base; at < this.top; at += ENTRY_NUMBERS) {
      const index = this.entries[at] as number;
      const field = message.fields[index];
      if (field === undefined) continue;
      for (const other of groups.keys()) {
        if (other !== index && (field.oneofBits & (1 << other)) !== 0) groups.delete(other);
      }
      const group = groups.get(index);
      if (group === undefined) groups.set(index, [at]);
      else if (field.repeated || field.message !== undefined) group.push(at);
      else group[0] = at;
    }
    const arranged = Array.from(groups.values()).flatMap((group) =>
      group.map((at) => this.entries.slice(at, at + ENTRY_NUMBERS)),
    );
    this.top = base;
    for (const entry of arranged) {
      this.entries.set(entry, this.top);
      this.top += ENTRY_NUMBERS;
    }
  }

  #push(index: number, wireType: number, start: number, end: number): void {
    if (this.top === this.entries.length) {
      const larger = new Int32Array(this.entries.length * 2);
      larger.set(this.entries);
      this.entries = larger;
    }
    const { entries, top } = this;
    entries[top] = index;
    entries[top + 1] = wireType;
    entries[top + 2] = start;
    entries[top + 3] = end;
    this.top = top + ENTRY_NUMBERS;
  }
}

function endOfScalar(bytes: Uint8Array, start: number, wireType: number): number {
  if (wireType === VARINT) return endOfVarint(bytes, start);
  if (wireType === FIXED64) return start + 8;
  if (wireType === FIXED32) return start + 4;
  throw new RangeError(`wire type ${wireType} before byte ${start}`);
}
