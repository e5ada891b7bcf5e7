import { varint32Length } from "./varint.js";
import { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from "./wire-type.js";

const INITIAL_BYTES = 256;
const MAX_VARINT_BYTES = 10;

/**
 * Writes protobuf fields one after another into a buffer that grows.
 *
 * Every method but `append` writes a whole field, default values too: whether a zero is written is the
 * caller's decision. Messages are written between `startMessage` and `endMessage`, any depth.
 */
export class WireWriter {
  #bytes: Buffer;
  #length = 0;

  /** @param initialBytes size of the first buffer; a good guess saves copying */
  constructor(initialBytes: number = INITIAL_BYTES) {
    this.#bytes = Buffer.allocUnsafe(initialBytes);
  }

  /** Number of bytes written so far. */
  get byteLength(): number {
    return this.#length;
  }

  /** A field of kind int32, int64, uint32, uint64, enum or bool; negative numbers take ten bytes. */
  varintField(number: number, value: number | bigint): void {
    this.#tag(number, VARINT);
    this.#varint(value);
  }

  /** A field of kind sint32 or sint64. */
  zigzagField(number: number, value: number | bigint): void {
    const wide = BigInt(value);
    this.varintField(number, BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n)));
  }

  /** A field of kind fixed32 or sfixed32; the low 32 bits of `value` are written. */
  fixed32Field(number: number, value: number): void {
    this.#tag(number, FIXED32);
    this.#reserve(4);
    this.#length = this.#bytes.writeUInt32LE(value >>> 0, this.#length);
  }

  /** A field of kind fixed64 or sfixed64; the low 64 bits of `value` are written. */
  fixed64Field(number: number, value: bigint): void {
    this.#tag(number, FIXED64);
    this.#reserve(8);
    this.#length = this.#bytes.writeBigUInt64LE(BigInt.asUintN(64, value), this.#length);
  }

  /** A field of kind double. */
  doubleField(number: number, value: number): void {
    this.#tag(number, FIXED64);
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  /** A field of kind string; lone surrogates become U+FFFD, so that the bytes are valid UTF-8. */
  stringField(number: number, value: string): void {
    this.#tag(number, LENGTH_DELIMITED);
    const length = Buffer.byteLength(value);
    this.#varint(length);
    this.#reserve(length);
    this.#length += this.#bytes.write(value, this.#length);
  }

  /** A field of kind bytes, or a whole message that is already encoded. */
  bytesField(number: number, value: Uint8Array): void {
    this.#tag(number, LENGTH_DELIMITED);
    this.#varint(value.byteLength);
    this.append(value);
  }

  /**
   * Begins a message; what is written until `endMessage` becomes its content.
   *
   * @returns a mark that `endMessage` wants back
   */
  startMessage(number: number): number {
    this.#tag(number, LENGTH_DELIMITED);
    this.#reserve(1);
    this.#length += 1;
    return this.#length;
  }

  /** Ends the innermost open message and writes its length in front of it. */
  endMessage(mark: number): void {
    const contentLength = this.#length - mark;
    const lengthBytes = varint32Length(contentLength);
    if (lengthBytes > 1) {
      // One byte was left for the length: move the content behind a longer one.
      this.#reserve(lengthBytes - 1);
      this.#bytes.copyWithin(mark + lengthBytes - 1, mark, this.#length);
    }
    this.#length = mark - 1;
    this.#varint(contentLength);
    this.#length += contentLength;
  }

  /** Bytes as they are: whole fields that are already encoded. */
  append(bytes: Uint8Array, start: number = 0, end: number = bytes.byteLength): void {
    this.#reserve(end - start);
    this.#bytes.set(bytes.subarray(start, end), this.#length);
    this.#length += end - start;
  }

  /**
   * What was written, as a copy. The writer may be used further.
   *
   * A small result is a slice of Node's pool of 8 KiB, which stays allocated as long as it: copy what
   * is kept for long.
   */
  finish(): Uint8Array {
    const result = Buffer.allocUnsafe(this.#length);
    result.set(this.#bytes.subarray(0, this.#length));
    return result;
  }

  #tag(number: number, wireType: number): void {
    this.#varint(number * 8 + wireType);
  }

  #varint(value: number | bigint): void {
    this.#reserve(MAX_VARINT_BYTES);
    if (typeof value === "number" && value >= 0 && value <= 0xffff_ffff) {
      let rest = value;
      while (rest >= 0x80) {
        this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
        rest >>>= 7;
      }
      this.#bytes[this.#length++] = rest;
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest >= 0x80n) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  #reserve(byteCount: number): void {
    const needed = this.#length + byteCount;
    if (needed <= this.#bytes.byteLength) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.byteLength * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
