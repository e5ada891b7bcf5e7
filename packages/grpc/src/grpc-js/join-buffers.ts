/** Memory that is used again at most; longer messages are joined in memory of their own. */
export const REUSED_BYTES_MAX = 8_388_608;

/** Buffers that wait for the next message; more calls than this at a time allocate. */
export const WAITING_BUFFERS_MAX = 2;

/** A buffer that is more than this many times too large is let go, so that the memory shrinks. */
const OVERSIZE_MAX = 8;

/**
 * Joins the chunks of messages in memory that is used again when a call has ended.
 *
 * A merged request is several megabytes, and fresh memory for it costs more than the copy: pages that
 * the kernel clears, and buffers that make V8 collect its whole heap.
 */
export class JoinBuffers {
  readonly #waiting: Buffer[] = [];

  /** Bytes that are kept for messages to come. */
  get waitingBytes(): number {
    return this.#waiting.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** The chunks one after another; the caller's until `giveBack`. */
  join(chunks: readonly Uint8Array[]): Buffer {
    let byteLength = 0;
    for (const chunk of chunks) byteLength += chunk.byteLength;
    const joined = this.#take(byteLength).subarray(0, byteLength);
    let offset = 0;
    for (const chunk of chunks) {
      joined.set(chunk, offset);
      offset += chunk.byteLength;
    }
    return joined;
  }

  /** Takes back what `join` returned, once nothing reads it any more. */
  giveBack({ buffer }: Buffer): void {
    if (this.#waiting.length < WAITING_BUFFERS_MAX && buffer.byteLength <= REUSED_BYTES_MAX) {
      this.#waiting.push(Buffer.from(buffer));
    }
  }

  #take(byteLength: number): Buffer {
    const waiting = this.#waiting.pop();
    if (waiting !== undefined && isFit(waiting.byteLength, byteLength)) return waiting;
    // Merged requests vary a little in size: an eighth more fits most of those that follow.
    return Buffer.allocUnsafeSlow(byteLength + (byteLength >>> 3));
  }
}

function isFit(availableBytes: number, byteLength: number): boolean {
  return availableBytes >= byteLength && availableBytes <= byteLength * OVERSIZE_MAX;
}
