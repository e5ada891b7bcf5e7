import type { Clock } from "@inode-gateway/contract";
import { BodyError, tooLarge } from "./body-error.js";
import { type ContentCoding, undoCoding } from "./content-coding.js";
import type { InFlightBytes } from "./in-flight-bytes.js";

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
    return await undoCoding(wireBytes, coding, limits);
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
