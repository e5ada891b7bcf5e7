import { MAX_RETAINED_BYTES } from "./limits.js";

const INITIAL_BYTES = 64 * 1024;

/**
 * A growing stretch of bytes that is used again for the next conversion.
 *
 * `bytes`, `view` and `length` are open to the functions that write: a call per byte would cost
 * more than the conversion. Whoever writes calls {@link reserve} first; it may replace `bytes`.
 */
export class ByteWriter {
  bytes: Uint8Array = allocate(INITIAL_BYTES);
  view: DataView = new DataView(this.bytes.buffer);
  /** Bytes written so far. */
  length = 0;

  /** Makes room for `count` more bytes. What was written stays. */
  reserve(count: number): void {
    if (this.bytes.length - this.length < count) this.#grow(this.length + count);
  }

  /** A copy of what was written; the writer is empty afterwards and may be used again. */
  take(): Uint8Array {
    const result = allocate(this.length);
    result.set(this.bytes.subarray(0, this.length));
    this.clear();
    return result;
  }

  /** Forgets what was written, and gives memory above {@link MAX_RETAINED_BYTES} back. */
  clear(): void {
    this.length = 0;
    if (this.bytes.length > MAX_RETAINED_BYTES) this.#replace(allocate(INITIAL_BYTES));
  }

  #grow(needed: number): void {
    const larger = allocate(Math.max(needed, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.length));
    this.#replace(larger);
  }

  #replace(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}

// A plain Uint8Array that owns its memory and was not filled with zeros first.
function allocate(length: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
}
