import type { MessageEncoding } from "./call-head.js";
import { GrpcCode } from "./status.js";

/** Bytes before each gRPC message: the compressed flag and the length. */
const FRAME_HEADER_BYTES = 5;

/** Why the body of a unary request cannot be taken. */
export interface FrameFault {
  readonly code: number;
  readonly message: string;
}

/**
 * Follows the body of a unary request as it arrives and says at the first possible byte that it is
 * not exactly one message: so nothing is collected that will be refused.
 */
export class MessageFrame {
  readonly #encoding: MessageEncoding;
  readonly #maxMessageBytes: number;
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES);
  #receivedBytes = 0;
  #messageBytes = 0;

  constructor(encoding: MessageEncoding, maxMessageBytes: number) {
    this.#encoding = encoding;
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** Whether the message is compressed; known once five bytes have arrived. */
  get isCompressed(): boolean {
    return this.#header[0] === 1;
  }

  /** Length of the message on the wire; undefined until five bytes have arrived. */
  get messageBytes(): number | undefined {
    return this.#receivedBytes < FRAME_HEADER_BYTES ? undefined : this.#messageBytes;
  }

  /** Takes the next bytes of the body; returns the fault they bring, if any. */
  accept(chunk: Uint8Array): FrameFault | undefined {
    const before = this.#receivedBytes;
    this.#receivedBytes += chunk.length;
    if (before < FRAME_HEADER_BYTES) {
      this.#header.set(chunk.subarray(0, FRAME_HEADER_BYTES - before), before);
      if (this.#receivedBytes < FRAME_HEADER_BYTES) return undefined;
      const [, b0 = 0, b1 = 0, b2 = 0, b3 = 0] = this.#header;
      this.#messageBytes = b0 * 2 ** 24 + (b1 << 16) + (b2 << 8) + b3;
      const fault = this.#headerFault();
      if (fault !== undefined) return fault;
    }
    const surplus = this.#receivedBytes - FRAME_HEADER_BYTES - this.#messageBytes;
    if (surplus <= 0) return undefined;
    return internal(`${surplus} bytes follow the message of ${this.#messageBytes} bytes`);
  }

  /** The fault of a body that ends now, if any. */
  end(): FrameFault | undefined {
    if (this.#receivedBytes === 0) return internal("the request ended without a message");
    const missing =
      this.#receivedBytes < FRAME_HEADER_BYTES
        ? FRAME_HEADER_BYTES - this.#receivedBytes
        : FRAME_HEADER_BYTES + this.#messageBytes - this.#receivedBytes;
    if (missing === 0) return undefined;
    return internal(`the request ended ${missing} bytes before the end of its message`);
  }

  #headerFault(): FrameFault | undefined {
    const flag = this.#header[0] ?? 0;
    if (flag > 1) return internal(`compressed flag is ${flag}, not 0 or 1`);
    if (flag === 1 && this.#encoding === "identity") {
      return internal("the message is compressed, but the call has no grpc-encoding");
    }
    const limitBytes = this.#maxMessageBytes;
    if (flag === 0 && this.#messageBytes > limitBytes) {
      return messageTooLarge(`${this.#messageBytes} bytes`, limitBytes);
    }
    if (flag === 1 && this.#messageBytes > limitBytes + compressionGrowth(limitBytes)) {
      return messageTooLarge(`${this.#messageBytes} bytes compressed`, limitBytes);
    }
    return undefined;
  }
}

// The limit is on what comes out of compression, and noise comes in longer than it comes out: by one
// part in 3,000 at worst in zlib, and by gzip's header, which may hold a name.
function compressionGrowth(bytes: number): number {
  return Math.ceil(bytes / 1_000) + 1_024;
}

/** The fault of a message above the limit; OTLP wants RESOURCE_EXHAUSTED without RetryInfo for it. */
export function messageTooLarge(size: string, limitBytes: number): FrameFault {
  const message = `request message is ${size}, the limit is ${limitBytes} bytes`;
  return { code: GrpcCode.RESOURCE_EXHAUSTED, message };
}

function internal(message: string): FrameFault {
  return { code: GrpcCode.INTERNAL, message };
}
