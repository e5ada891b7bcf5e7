import { createGunzip, createInflate, gunzipSync, inflateSync } from "node:zlib";
import {
  decodeSnappyBlock,
  decodeSnappyFrames,
  SnappyError,
  snappyBlockBytes,
  snappyFramesBytes,
  ZSTD_FRAMES_MAX,
  zstd,
  zstdDecompressOptions,
} from "@inode-gateway/grpc";
import { BodyError } from "./body-error.js";
import type { InFlightBytes } from "./in-flight-bytes.js";

/** Content codings the receiver can undo; zlib and deflate both name the zlib format. */
export type ContentCoding = "identity" | "gzip" | "zlib" | "zstd" | "snappy" | "x-snappy-framed";

/** Values of Content-Encoding with the coding they name; zstd only where Node has it. */
export const codingsByName: ReadonlyMap<string, ContentCoding> = new Map<string, ContentCoding>([
  ["", "identity"],
  ["gzip", "gzip"],
  ["zlib", "zlib"],
  ["deflate", "zlib"],
  ...(zstd === undefined ? [] : [["zstd", "zstd"] as const]),
  ["snappy", "snappy"],
  ["x-snappy-framed", "x-snappy-framed"],
]);

/** What undoing may cost. */
export interface CodingLimits {
  /** Of the bytes that come out. */
  readonly maxBytes: number;
  readonly inFlight: InFlightBytes;
}

/** A part of the input made plain, and how far into the input it went. */
interface Plain {
  readonly bytes: Uint8Array;
  readonly readBytes: number;
}

/**
 * Bodies up to this size on the wire are decompressed on the event loop: for them handing over to
 * another thread costs twice the CPU (docs/architecture.md), and none takes longer than about 5 ms.
 */
const SYNC_COMPRESSED_BYTES_MAX = 131_072;
/** What decompressing on the event loop may produce; a body that inflates further goes to a thread. */
const SYNC_INFLATED_BYTES_MAX = 4_194_304;
const INFLATE_CHUNK_BYTES = 65_536;

/**
 * Undoes the coding of a whole body. The result is taken from `inFlight`, and the caller's to give
 * back; after a rejection nothing is owed.
 *
 * @throws BodyError
 */
export async function undoCoding(
  wireBytes: Buffer,
  coding: Exclude<ContentCoding, "identity">,
  limits: CodingLimits,
): Promise<Uint8Array> {
  switch (coding) {
    case "snappy":
      return undoSnappy(wireBytes, limits, coding, snappyBlockBytes, decodeSnappyBlock);
    case "x-snappy-framed":
      return undoSnappy(wireBytes, limits, coding, snappyFramesBytes, decodeSnappyFrames);
    case "zstd":
      return undoZstd(wireBytes, limits);
    case "gzip":
    case "zlib":
      return (await undoStream(wireBytes, coding, limits)).bytes;
  }
}

/** Both formats of snappy say what they hold: nothing is allocated that the limits do not allow. */
function undoSnappy(
  wireBytes: Buffer,
  { inFlight, maxBytes }: CodingLimits,
  coding: ContentCoding,
  sizeOf: (bytes: Buffer) => number,
  decode: (bytes: Buffer) => Buffer,
): Uint8Array {
  let owedBytes = 0;
  try {
    const plainBytes = sizeOf(wireBytes);
    if (plainBytes > maxBytes) throw inflatesTooFar(coding, maxBytes);
    if (!inFlight.tryTake(plainBytes)) throw new BodyError("in_flight_limit", "", plainBytes);
    owedBytes = plainBytes;
    return decode(wireBytes);
  } catch (error) {
    inFlight.giveBack(owedBytes);
    throw error instanceof SnappyError ? undecodable(coding, error) : error;
  }
}

/** Node stops after the first frame and says nothing of what follows: so they are taken in turn. */
async function undoZstd(wireBytes: Buffer, limits: CodingLimits): Promise<Uint8Array> {
  const { inFlight, maxBytes } = limits;
  const frames: Uint8Array[] = [];
  let size = 0;
  let at = 0;
  try {
    do {
      if (frames.length >= ZSTD_FRAMES_MAX) {
        const cause = new Error(`more than ${ZSTD_FRAMES_MAX} frames`);
        throw undecodable("zstd", cause);
      }
      const rest = wireBytes.subarray(at);
      const frame = await undoStream(rest, "zstd", { inFlight, maxBytes: maxBytes - size });
      frames.push(frame.bytes);
      size += frame.bytes.byteLength;
      at += frame.readBytes;
    } while (at < wireBytes.byteLength);
  } catch (error) {
    inFlight.giveBack(size);
    const isTooLarge = error instanceof BodyError && error.failure === "too_large";
    throw isTooLarge ? inflatesTooFar("zstd", maxBytes) : error;
  }
  const [only] = frames;
  return frames.length === 1 && only !== undefined ? only : Buffer.concat(frames, size);
}

type StreamCoding = "gzip" | "zlib" | "zstd";

async function undoStream(
  wireBytes: Buffer,
  coding: StreamCoding,
  limits: CodingLimits,
): Promise<Plain> {
  const isSmall =
    wireBytes.byteLength <= SYNC_COMPRESSED_BYTES_MAX &&
    (coding !== "gzip" || claimedBytes(wireBytes) <= SYNC_INFLATED_BYTES_MAX);
  if (isSmall) {
    const plain = undoSmall(wireBytes, coding, limits);
    if (plain !== undefined) return plain;
  }
  return undoStreaming(wireBytes, coding, limits);
}

/**
 * What gzip says at its end that it holds, modulo 2^32 (RFC 1952). Believed only when it is large: then
 * a bomb does not hold up the event loop for some milliseconds in vain.
 */
function claimedBytes(wireBytes: Buffer): number {
  return wireBytes.byteLength < 4 ? 0 : wireBytes.readUInt32LE(wireBytes.byteLength - 4);
}

/** Undefined when the result would be larger than the event loop should produce in one go. */
function undoSmall(
  wireBytes: Buffer,
  coding: StreamCoding,
  { inFlight, maxBytes }: CodingLimits,
): Plain | undefined {
  const maxOutputLength = Math.min(SYNC_INFLATED_BYTES_MAX, maxBytes);
  let plain: Plain;
  try {
    plain = plainOf(wireBytes, coding, { maxBytes, maxOutputLength: Math.max(maxOutputLength, 1) });
  } catch (error) {
    if (!isBufferTooLarge(error)) throw undecodable(coding, error);
    if (maxOutputLength === maxBytes) throw inflatesTooFar(coding, maxBytes);
    return undefined;
  }
  const { byteLength } = plain.bytes;
  if (byteLength > maxBytes) throw inflatesTooFar(coding, maxBytes);
  if (!inFlight.tryTake(byteLength)) throw new BodyError("in_flight_limit", "", byteLength);
  return plain;
}

function plainOf(
  wireBytes: Buffer,
  coding: StreamCoding,
  { maxBytes, maxOutputLength }: { readonly maxBytes: number; readonly maxOutputLength: number },
): Plain {
  if (coding === "zstd" && zstd !== undefined) {
    const options = { ...zstdDecompressOptions(maxBytes), maxOutputLength };
    const { buffer, engine } = zstd.zstdDecompressSync(wireBytes, { ...options, info: true });
    return { bytes: buffer, readBytes: engine.bytesWritten };
  }
  const inflateWhole = coding === "gzip" ? gunzipSync : inflateSync;
  const bytes = inflateWhole(wireBytes, { maxOutputLength });
  return { bytes, readBytes: wireBytes.byteLength };
}

async function undoStreaming(
  wireBytes: Buffer,
  coding: StreamCoding,
  { inFlight, maxBytes }: CodingLimits,
): Promise<Plain> {
  const stream = streamOf(coding, maxBytes);
  stream.end(wireBytes);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (size + chunk.length > maxBytes) throw inflatesTooFar(coding, maxBytes);
      if (!inFlight.tryTake(chunk.length)) {
        throw new BodyError("in_flight_limit", "", size + chunk.length);
      }
      size += chunk.length;
      chunks.push(chunk);
    }
    return { bytes: Buffer.concat(chunks, size), readBytes: stream.bytesWritten };
  } catch (error) {
    inFlight.giveBack(size);
    throw error instanceof BodyError ? error : undecodable(coding, error);
  }
}

function streamOf(coding: StreamCoding, maxBytes: number) {
  const options = { chunkSize: INFLATE_CHUNK_BYTES };
  if (coding === "gzip") return createGunzip(options);
  if (coding === "zlib" || zstd === undefined) return createInflate(options);
  return zstd.createZstdDecompress({ ...options, ...zstdDecompressOptions(maxBytes) });
}

function inflatesTooFar(coding: string, maxBytes: number): BodyError {
  const message = `body is larger than \`max_request_body_size\` ${maxBytes} after undoing ${coding}`;
  return new BodyError("too_large", message);
}

function undecodable(coding: string, cause: unknown): BodyError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BodyError("malformed", `${coding}: ${reason}`, 0, { cause });
}

function isBufferTooLarge(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}
