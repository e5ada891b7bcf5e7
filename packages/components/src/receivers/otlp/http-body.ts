import { createGunzip, createInflate, gunzipSync, inflateSync } from "node:zlib";
import type { Clock } from "@inode-gateway/contract";
import type { InFlightBytes } from "./in-flight-bytes.js";

/** Content codings the receiver can undo; zlib and deflate both name the zlib format. */
export type ContentCoding = "identity" | "gzip" | "zlib";

/** Why a body could not be had. */
export type BodyFailure = "malformed" | "too_large" | "in_flight_limit" | "timeout" | "aborted";

/** A body that could not be had; the message is meant for the sender. */
export class BodyError extends Error {
  override readonly name = "BodyError";
  readonly failure: BodyFailure;
  /** Bytes that were needed, where the failure is about a budget. */
  readonly bytes: number;

  constructor(failure: BodyFailure, message: string, bytes = 0, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
    this.bytes = bytes;
  }
}

/** The part of Node's request, of either HTTP version, that reading a body needs. */
export interface BodySource extends NodeJS.ReadableStream {
  readonly complete: boolean;
  resume(): this;
}

/** What a body may cost. */
export interface BodyLimits {
  /** Of the bytes on the wire, and again of the bytes after decompression. */
  readonly maxBytes: number;
  readonly inFlight: InFlightBytes;
  /** 0 waits for ever. */
  readonly readTimeoutMs: number;
  readonly clock: Clock;
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
 * Reads a request's body, decompressed.
 *
 * The caller owes `inFlight.giveBack(result.byteLength)` once it is done with the bytes; after a
 * rejection nothing is owed, and the rest of the body is left unread.
 *
 * @throws BodyError
 */
export async function readBody(
  source: BodySource,
  coding: ContentCoding,
  limits: BodyLimits,
): Promise<Uint8Array> {
  const wireBytes = await collect(source, limits);
  if (coding === "identity") return wireBytes;
  try {
    return await inflate(wireBytes, coding, limits);
  } finally {
    limits.inFlight.giveBack(wireBytes.byteLength);
  }
}

/**
 * Refuses, before its first byte is read, a body that Content-Length tells to be too large.
 *
 * @throws BodyError
 */
export function checkDeclaredBytes(bytes: number, { maxBytes, inFlight }: BodyLimits): void {
  if (bytes > maxBytes) throw tooLarge(`${bytes}`, maxBytes);
  if (!inFlight.fits(bytes)) throw new BodyError("in_flight_limit", "", bytes);
}

function collect(source: BodySource, limits: BodyLimits): Promise<Buffer> {
  const { clock, inFlight, maxBytes, readTimeoutMs } = limits;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = readTimeoutMs > 0 ? clock.setTimer(readTimeoutMs, onTimeout) : undefined;
    source.on("data", onData).on("end", onEnd).on("error", onAbort).on("close", onAbort);

    function onData(chunk: Buffer): void {
      if (size + chunk.length > maxBytes) {
        fail(tooLarge("larger", maxBytes));
      } else if (!inFlight.tryTake(chunk.length)) {
        fail(new BodyError("in_flight_limit", "", chunk.length));
      } else {
        size += chunk.length;
        chunks.push(chunk);
      }
    }
    function onEnd(): void {
      settle();
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size));
    }
    function onAbort(): void {
      fail(new BodyError("aborted", "the sender closed the connection inside the body"));
    }
    function onTimeout(): void {
      fail(
        new BodyError("timeout", `body not complete after \`read_timeout\` ${readTimeoutMs} ms`),
      );
    }
    function fail(error: BodyError): void {
      settle();
      inFlight.giveBack(size);
      reject(error);
    }
    function settle(): void {
      timer?.cancel();
      source.off("data", onData).off("end", onEnd).off("close", onAbort).off("error", onAbort);
    }
  });
}

function tooLarge(what: string, maxBytes: number): BodyError {
  const size = what === "larger" ? `is larger than` : `is ${what} bytes,`;
  return new BodyError("too_large", `body ${size} \`max_request_body_size\` ${maxBytes}`);
}

async function inflate(
  wireBytes: Buffer,
  coding: "gzip" | "zlib",
  limits: BodyLimits,
): Promise<Uint8Array> {
  if (wireBytes.byteLength <= SYNC_COMPRESSED_BYTES_MAX) {
    const inflated = inflateSmall(wireBytes, coding, limits);
    if (inflated !== undefined) return inflated;
  }
  return inflateStreaming(wireBytes, coding, limits);
}

/** Undefined when the result would be larger than the event loop should produce in one go. */
function inflateSmall(
  wireBytes: Buffer,
  coding: "gzip" | "zlib",
  { inFlight, maxBytes }: BodyLimits,
): Uint8Array | undefined {
  const maxOutputLength = Math.min(SYNC_INFLATED_BYTES_MAX, maxBytes);
  let inflated: Buffer;
  try {
    const inflateWhole = coding === "gzip" ? gunzipSync : inflateSync;
    inflated = inflateWhole(wireBytes, { maxOutputLength });
  } catch (error) {
    if (!isBufferTooLarge(error)) throw undecodable(coding, error);
    if (maxOutputLength === maxBytes) throw inflatesTooFar(coding, maxBytes);
    return undefined;
  }
  if (!inFlight.tryTake(inflated.byteLength)) {
    throw new BodyError("in_flight_limit", "", inflated.byteLength);
  }
  return inflated;
}

async function inflateStreaming(
  wireBytes: Buffer,
  coding: "gzip" | "zlib",
  { inFlight, maxBytes }: BodyLimits,
): Promise<Uint8Array> {
  const options = { chunkSize: INFLATE_CHUNK_BYTES };
  const stream = coding === "gzip" ? createGunzip(options) : createInflate(options);
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
    return Buffer.concat(chunks, size);
  } catch (error) {
    inFlight.giveBack(size);
    throw error instanceof BodyError ? error : undecodable(coding, error);
  }
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
