/**
 * New bytes made of ranges of old ones and of insertions, as a list of chunks.
 *
 * Walks the old bytes once from front to back. Ranges that are kept are not copied: the chunks share
 * memory with the old bytes.
 */
export class SplicedBytes {
  readonly #source: Uint8Array;
  readonly #chunks: Uint8Array[] = [];
  // What is kept but not yet a chunk, so that ranges that follow each other become one.
  #keptFrom = 0;
  #position = 0;

  /** @param source must not be modified as long as the chunks are used */
  constructor(source: Uint8Array) {
    this.#source = source;
  }

  /** Keeps the old bytes from the current position to `offset`, exclusive. */
  keepUntil(offset: number): void {
    this.#position = offset;
  }

  /** Leaves out the old bytes from the current position to `offset`, exclusive. */
  skipUntil(offset: number): void {
    if (offset === this.#position) return;
    this.#flush();
    this.#position = offset;
    this.#keptFrom = offset;
  }

  /** Adds new bytes at the current position. */
  insert(chunk: Uint8Array): void {
    this.#flush();
    if (chunk.byteLength > 0) this.#chunks.push(chunk);
  }

  /** Keeps what is left of the old bytes and hands out the chunks, none of them empty. */
  finish(): Uint8Array[] {
    this.keepUntil(this.#source.byteLength);
    this.#flush();
    return this.#chunks;
  }

  #flush(): void {
    if (this.#position > this.#keptFrom) {
      this.#chunks.push(this.#source.subarray(this.#keptFrom, this.#position));
    }
    this.#keptFrom = this.#position;
  }
}
