import { varint32Length, writeVarint32 } from "../wire/varint.js";
import { LENGTH_DELIMITED } from "../wire/wire-type.js";

/** Where pieces of a message that is being rewritten go. */
export interface SpliceTarget {
  /** Adds old bytes, from `start` (inclusive) to `end` (exclusive). */
  keep(start: number, end: number): void;
  /** Adds new bytes, from `start` (inclusive) to `end` (exclusive); they are copied. */
  insert(bytes: Uint8Array, start?: number, end?: number): void;
  /** Adds the tag and length of a length-delimited field; its content is what the caller adds next. */
  insertHeader(fieldNumber: number, contentLength: number): void;
}

/** What a piece of the result is: a range of the source, a range of the new bytes, or a header. */
const OLD = 0;
const NEW = 1;
const HEADER = 2;

/**
 * Old ranges of at least this many bytes become chunks that share memory with the source; shorter ones
 * are copied. Copying 2 KiB costs about what one chunk more costs everybody who handles the batch.
 */
const SHARED_BYTES_MIN = 2_048;

const INITIAL_NEW_BYTES = 1_024;

/**
 * A request that is rewritten from front to back: ranges of the source, new bytes, and headers whose
 * length is known only when their message is over.
 *
 * Nothing is copied until `finish`; a message that turns out to be unchanged goes back to being a part
 * of the range around it.
 */
export class RequestSplice implements SpliceTarget {
  readonly #source: Buffer;
  // Three numbers a piece: kind, then start and end, or field number and content length.
  readonly #pieces: number[] = [];
  #fresh: Buffer = Buffer.allocUnsafe(INITIAL_NEW_BYTES);
  #freshLength = 0;
  #byteLength = 0;

  /** @param source must not be modified as long as the chunks are used */
  constructor(source: Uint8Array) {
    this.#source = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  }

  /** Bytes of everything added so far, headers of open messages not included. */
  get byteLength(): number {
    return this.#byteLength;
  }

  keep(start: number, end: number): void {
    if (end > start) this.#add(OLD, start, end);
  }

  insert(bytes: Uint8Array, start: number = 0, end: number = bytes.byteLength): void {
    if (end <= start) return;
    const from = this.#reserve(end - start);
    for (let index = start; index < end; index++) {
      this.#fresh[this.#freshLength++] = bytes[index] ?? 0;
    }
    this.#add(NEW, from, this.#freshLength);
  }

  insertHeader(fieldNumber: number, contentLength: number): void {
    const tag = fieldNumber * 8 + LENGTH_DELIMITED;
    const from = this.#reserve(varint32Length(tag) + varint32Length(contentLength));
    const afterTag = writeVarint32(this.#fresh, from, tag);
    this.#freshLength = writeVarint32(this.#fresh, afterTag, contentLength);
    this.#add(NEW, from, this.#freshLength);
  }

  /** Begins a message in a field; returns a mark that `close` or `undo` wants back. */
  open(fieldNumber: number): SpliceMark {
    const mark = {
      piece: this.#pieces.length,
      fresh: this.#freshLength,
      byteLength: this.#byteLength,
    };
    this.#pieces.push(HEADER, fieldNumber, 0);
    return mark;
  }

  /** Ends the message that was opened last. */
  close(mark: SpliceMark): void {
    const contentLength = this.#byteLength - mark.byteLength;
    this.#pieces[mark.piece + 2] = contentLength;
    const tag = (this.#pieces[mark.piece + 1] ?? 0) * 8 + LENGTH_DELIMITED;
    this.#byteLength += varint32Length(tag) + varint32Length(contentLength);
  }

  /** Forgets the message that was opened last and everything in it. */
  undo(mark: SpliceMark): void {
    this.#pieces.length = mark.piece;
    this.#freshLength = mark.fresh;
    this.#byteLength = mark.byteLength;
  }

  /** The result as chunks, none of them empty. */
  finish(): Uint8Array[] {
    const copied = Buffer.allocUnsafeSlow(this.#copiedLength());
    const chunks: Uint8Array[] = [];
    let from = 0;
    let length = 0;
    for (let index = 0; index < this.#pieces.length; index += 3) {
      const kind = this.#pieces[index];
      const start = this.#pieces[index + 1] ?? 0;
      const end = this.#pieces[index + 2] ?? 0;
      if (kind === HEADER) {
        length = writeVarint32(copied, length, start * 8 + LENGTH_DELIMITED);
        length = writeVarint32(copied, length, end);
      } else if (kind === NEW) {
        length = copyShort(this.#fresh, start, end, copied, length);
      } else if (end - start < SHARED_BYTES_MIN) {
        length = copyShort(this.#source, start, end, copied, length);
      } else {
        if (length > from) chunks.push(copied.subarray(from, length));
        from = length;
        chunks.push(this.#source.subarray(start, end));
      }
    }
    if (length > from) chunks.push(copied.subarray(from, length));
    return chunks;
  }

  #copiedLength(): number {
    let length = this.#byteLength;
    for (let index = 0; index < this.#pieces.length; index += 3) {
      const size = (this.#pieces[index + 2] ?? 0) - (this.#pieces[index + 1] ?? 0);
      if (this.#pieces[index] === OLD && size >= SHARED_BYTES_MIN) length -= size;
    }
    return length;
  }

  #add(kind: number, start: number, end: number): void {
    this.#byteLength += end - start;
    const last = this.#pieces.length - 3;
    // Neighbours become one piece.
    if (last >= 0 && this.#pieces[last] === kind && this.#pieces[last + 2] === start) {
      this.#pieces[last + 2] = end;
    } else {
      this.#pieces.push(kind, start, end);
    }
  }

  #reserve(byteCount: number): number {
    const needed = this.#freshLength + byteCount;
    if (needed > this.#fresh.byteLength) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#fresh.byteLength * 2));
      this.#fresh.copy(grown, 0, 0, this.#freshLength);
      this.#fresh = grown;
    }
    return this.#freshLength;
  }
}

/** Below this a loop is faster than a call of the runtime. */
const LOOP_BYTES_MAX = 48;

function copyShort(from: Buffer, start: number, end: number, to: Buffer, at: number): number {
  if (end - start > LOOP_BYTES_MAX) return at + from.copy(to, at, start, end);
  let offset = at;
  for (let index = start; index < end; index++) to[offset++] = from[index] ?? 0;
  return offset;
}

/** Where a message of a {@link RequestSplice} began. */
export interface SpliceMark {
  readonly piece: number;
  readonly fresh: number;
  readonly byteLength: number;
}
