import { gunzip, gunzipSync, inflate, inflateSync } from "node:zlib";
import type { MessageEncoding } from "./call-head.js";
import { decodeSnappyFrames, snappyFramesBytes } from "./compression/snappy-frames.js";
import { decompressZstd } from "./compression/zstd-message.js";

/** What came out of a compressed message. */
export type Decompressed = { readonly bytes: Uint8Array } | { readonly fault: "size" | "format" };

/**
 * Largest output that is decompressed on the event loop, about 1 ms of it. The thread pool costs
 * twice the CPU for a message of 225 kB, so it is left to those that would hold up other calls.
 */
export const SYNC_OUTPUT_BYTES_MAX = 1_048_576;

const CHUNK_BYTES_MIN = 4_096;
const POOL_CHUNK_BYTES = 262_144;

/**
 * Decompresses one message and stops at the first byte above `limitBytes`, so that a small message
 * can never take more memory than the limit and one chunk.
 *
 * Calls back at once for a small message and for snappy, otherwise later; never throws and never
 * calls twice. For `zstd` the Node must have it.
 */
export function decompress(
  message: Uint8Array,
  encoding: Exclude<MessageEncoding, "identity">,
  limitBytes: number,
  done: (result: Decompressed) => void,
): void {
  switch (encoding) {
    case "snappy":
      done(decodeSnappy(message, limitBytes));
      return;
    case "zstd":
      decompressZstd(message, { limitBytes, syncOutputBytes: SYNC_OUTPUT_BYTES_MAX }, done);
      return;
    case "deflate":
    case "gzip":
      decompressZlib(message, encoding, limitBytes, done);
  }
}

// The stream says what it holds before any of it is decoded, and what it holds is checked against it.
function decodeSnappy(message: Uint8Array, limitBytes: number): Decompressed {
  try {
    if (snappyFramesBytes(message) > limitBytes) return { fault: "size" };
    return { bytes: decodeSnappyFrames(message) };
  } catch {
    return { fault: "format" };
  }
}

function decompressZlib(
  message: Uint8Array,
  encoding: "deflate" | "gzip",
  limitBytes: number,
  done: (result: Decompressed) => void,
): void {
  const outputBytes = claimedOutputBytes(message, encoding);
  if (outputBytes <= SYNC_OUTPUT_BYTES_MAX) {
    const result = decompressSync(message, encoding, limitBytes, outputBytes);
    if (result !== undefined) {
      done(result);
      return;
    }
  }
  const options = { maxOutputLength: Math.max(limitBytes, 1), chunkSize: POOL_CHUNK_BYTES };
  const inPool = encoding === "gzip" ? gunzip : inflate;
  inPool(message, options, (error, bytes) => {
    done(error === null ? checked(bytes, limitBytes) : { fault: faultOf(error) });
  });
}

/** Undefined when the output is larger than claimed and than the event loop should bear. */
function decompressSync(
  message: Uint8Array,
  encoding: "deflate" | "gzip",
  limitBytes: number,
  outputBytes: number,
): Decompressed | undefined {
  const maxOutputLength = Math.max(Math.min(limitBytes, SYNC_OUTPUT_BYTES_MAX), 1);
  // Room for the end-of-stream call, so that an honest message comes out in one piece, uncopied.
  const chunkSize = Math.max(outputBytes + 64, CHUNK_BYTES_MIN);
  try {
    const onLoop = encoding === "gzip" ? gunzipSync : inflateSync;
    return checked(onLoop(message, { maxOutputLength, chunkSize }), limitBytes);
  } catch (error) {
    const fault = faultOf(error);
    return fault === "size" && maxOutputLength < limitBytes ? undefined : { fault };
  }
}

// gzip ends with the size of its content modulo 2^32 (RFC 1952). A claim, used to choose buffers only.
function claimedOutputBytes(message: Uint8Array, encoding: "deflate" | "gzip"): number {
  if (encoding === "deflate" || message.length < 18) return message.length * 4;
  return Buffer.from(message.buffer, message.byteOffset, message.length).readUInt32LE(
    message.length - 4,
  );
}

// zlib refuses a maximum of 0, and an empty message is legal.
function checked(bytes: Uint8Array, limitBytes: number): Decompressed {
  return bytes.length <= limitBytes ? { bytes } : { fault: "size" };
}

function faultOf(error: unknown): "size" | "format" {
  const isSize = error instanceof RangeError && "code" in error;
  return isSize && error.code === "ERR_BUFFER_TOO_LARGE" ? "size" : "format";
}
