import { varint32Length, writeVarint32 } from "../wire/varint.js";
import { LENGTH_DELIMITED } from "../wire/wire-type.js";
import { WireWriter } from "../wire/wire-writer.js";
import type { SpliceTarget } from "./request-splice.js";

const MAX_HEADER_BYTES = 10;

/** One message that is rewritten into memory of its own, such as a Resource. */
export class MessageSplice implements SpliceTarget {
  readonly #source: Uint8Array;
  readonly #writer: WireWriter;
  readonly #header = Buffer.allocUnsafe(MAX_HEADER_BYTES);

  /** @param expectedBytes size of the result, if a good guess is at hand */
  constructor(source: Uint8Array, expectedBytes: number) {
    this.#source = source;
    this.#writer = new WireWriter(expectedBytes);
  }

  keep(start: number, end: number): void {
    this.#writer.append(this.#source, start, end);
  }

  insert(bytes: Uint8Array, start: number = 0, end: number = bytes.byteLength): void {
    this.#writer.append(bytes, start, end);
  }

  insertHeader(fieldNumber: number, contentLength: number): void {
    const tag = fieldNumber * 8 + LENGTH_DELIMITED;
    const length = varint32Length(tag) + varint32Length(contentLength);
    writeVarint32(this.#header, writeVarint32(this.#header, 0, tag), contentLength);
    this.#writer.append(this.#header, 0, length);
  }

  /** The new message. */
  finish(): Uint8Array {
    return this.#writer.finish();
  }
}
