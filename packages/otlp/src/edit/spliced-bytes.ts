/**
 * New bytes made of ranges of old ones and of insertions, as a list of chunks.
 *
 * Walks the old bytes once from front to back. Ranges that are kept are not copied: the chunks share
 * memory with the old bytes.
 */
export class SplicedBytes {
  readonly #source: Uint8Array;
  readonly #chunks: Uint8Array[] = [];
  #position = 0;

  /** @param source must not be modified as long as the chunks are used */
  constructor(source: Uint8Array) {
    this.#source = source;
  }

  /** Keeps the old bytes from the current position to `offset`, exclusive. */
  keepUntil(offset: number): void {
    if (offset > this.#position) this.#chunks.push(this.#source.subarray(this.#position, offset));
    this.#position = offset;
  }

  /** Leaves out the old bytes from the current position to `offset`, exclusive. */
  skipUntil(offset: number): void {
    this.#position = offset;
  }

  /** Adds new bytes at the current position. */
  insert(chunk: Uint8Array): void {
    if (chunk.byteLength > 0) this.#chunks.push(chunk);
  }

  /** Keeps what is left of the old bytes and hands out the chunks, none of them empty. */
  finish(): Uint8Array[] {
    this.keepUntil(this.#source.byteLength);
    return this.#chunks;
  }
}
