import { endOfVarint, readVarint32 } from "./varint.js";
import { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from "./wire-type.js";

/**
 * Steps over the fields of one message in wire order.
 *
 *     const field = new FieldCursor(bytes, start, end);
 *     while (field.next()) if (field.number === 1) use(field.contentStart, field.contentEnd);
 *
 * One object per message and none per field. Nothing is copied; `bytes` is never written to. Made
 * for bytes that have passed the framing check, and still never reads beyond `end`.
 */
export class FieldCursor {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  /** Field number, 1 to 536,870,911. */
  number = 0;
  wireType = 0;
  /** Where the field begins: at its tag. */
  fieldStart: number;
  /** Where the content begins: after the tag and, if length-delimited, the length. */
  contentStart: number;
  /** Where the content and the field end, exclusive. */
  contentEnd: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#end = end;
    this.fieldStart = start;
    this.contentStart = start;
    this.contentEnd = start;
  }

  /**
   * Moves to the next field.
   *
   * @returns false when the message is over
   * @throws RangeError naming the byte offset, when the message was never checked and is broken
   */
  next(): boolean {
    const start = this.contentEnd;
    if (start >= this.#end) return false;
    const bytes = this.#bytes;
    const tag = readVarint32(bytes, start);
    let content = endOfVarint(bytes, start);
    let end = content;
    const wireType = tag & 7;
    if (wireType === LENGTH_DELIMITED) {
      const length = readVarint32(bytes, content);
      content = endOfVarint(bytes, content);
      end = content + length;
    } else if (wireType === VARINT) end = endOfVarint(bytes, content);
    else if (wireType === FIXED64) end = content + 8;
    else if (wireType === FIXED32) end = content + 4;
    else throw new RangeError(`wire type ${wireType} at byte ${start}`);
    if (end > this.#end) {
      throw new RangeError(`field at byte ${start} ends at ${end}, its message at ${this.#end}`);
    }
    this.number = tag >>> 3;
    this.wireType = wireType;
    this.fieldStart = start;
    this.contentStart = content;
    this.contentEnd = end;
    return true;
  }
}
