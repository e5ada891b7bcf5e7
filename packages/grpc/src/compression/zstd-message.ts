import { ZSTD_FRAMES_MAX, type ZstdResult, zstd, zstdDecompressOptions } from "./zstd.js";

/** What a message may cost. */
export interface ZstdMessageLimits {
  readonly limitBytes: number;
  /** Output above this size is made beside the event loop. */
  readonly syncOutputBytes: number;
}

type Outcome = { readonly bytes: Uint8Array } | { readonly fault: "size" | "format" };

const CHUNK_BYTES = 65_536;

/**
 * Decompresses a message of one or more zstd frames, and stops at the first byte above the limit.
 *
 * Node stops after the first frame and says nothing of what follows it: so the frames are taken here
 * one by one. Calls back once, at once when all output is small; never throws where Node has zstd.
 */
export function decompressZstd(
  message: Uint8Array,
  limits: ZstdMessageLimits,
  done: (outcome: Outcome) => void,
): void {
  new ZstdMessage(message, limits, done).next();
}

class ZstdMessage {
  readonly #message: Uint8Array;
  readonly #limits: ZstdMessageLimits;
  readonly #done: (outcome: Outcome) => void;
  readonly #parts: Buffer[] = [];
  #readBytes = 0;
  #outputBytes = 0;

  constructor(message: Uint8Array, limits: ZstdMessageLimits, done: (outcome: Outcome) => void) {
    this.#message = message;
    this.#limits = limits;
    this.#done = done;
  }

  next(): void {
    do {
      if (!this.#takeFrame()) return;
    } while (this.#readBytes < this.#message.length);
    this.#finish();
  }

  /** False when the message is at its end, for the worse, or goes on in the thread pool. */
  #takeFrame(): boolean {
    if (zstd === undefined) throw new Error("this Node.js has no zstd");
    const { limitBytes, syncOutputBytes } = this.#limits;
    const options = {
      ...zstdDecompressOptions(limitBytes),
      chunkSize: CHUNK_BYTES,
      info: true,
    } as const;
    const rest = this.#message.subarray(this.#readBytes);
    const roomBytes = limitBytes - this.#outputBytes;
    const syncBytes = Math.min(roomBytes, syncOutputBytes);
    if (this.#parts.length >= ZSTD_FRAMES_MAX) return this.#fail("format");
    try {
      const maxOutputLength = Math.max(syncBytes, 1);
      this.#take(zstd.zstdDecompressSync(rest, { ...options, maxOutputLength }));
      return true;
    } catch (error) {
      const fault = faultOf(error);
      if (fault === "format" || syncBytes === roomBytes) return this.#fail(fault);
    }
    zstd.zstdDecompress(rest, { ...options, maxOutputLength: roomBytes }, (error, result) => {
      if (error !== null) {
        this.#fail(faultOf(error));
        return;
      }
      this.#take(result);
      if (this.#readBytes < this.#message.length) this.next();
      else this.#finish();
    });
    return false;
  }

  #fail(fault: "size" | "format"): false {
    this.#done({ fault });
    return false;
  }

  #take({ buffer, engine }: ZstdResult): void {
    this.#parts.push(buffer);
    this.#outputBytes += buffer.length;
    this.#readBytes += engine.bytesWritten;
  }

  #finish(): void {
    const [only] = this.#parts;
    // Of an output of at most nothing, Node lets one byte through.
    if (this.#outputBytes > this.#limits.limitBytes) this.#done({ fault: "size" });
    else if (this.#parts.length === 1 && only !== undefined) this.#done({ bytes: only });
    else this.#done({ bytes: Buffer.concat(this.#parts, this.#outputBytes) });
  }
}

function faultOf(error: unknown): "size" | "format" {
  const isSize = error instanceof RangeError && "code" in error;
  return isSize && error.code === "ERR_BUFFER_TOO_LARGE" ? "size" : "format";
}
