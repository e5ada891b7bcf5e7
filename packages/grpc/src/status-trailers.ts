import { GrpcStatusError } from "./status.js";
import { encodeStatus } from "./status-bytes.js";

/**
 * Longest status message that goes into trailers, in UTF-8 bytes; the rest is cut off.
 *
 * It stands there twice when the status has details, at worst three characters a byte: this keeps all
 * of it below the 16 KiB of headers that gRPC's C core takes at most.
 */
export const STATUS_MESSAGE_BYTES_MAX = 2_048;

/** What the trailers of a call that failed carry. */
export interface StatusTrailers {
  readonly code: number;
  /** Well-formed text; percent-encoding it is the transport's part. */
  readonly message: string;
  /** For `grpc-status-details-bin`; undefined when there are no details. */
  readonly details: Uint8Array | undefined;
}

/**
 * Makes trailers of what a handler threw; undefined when that is no status one can answer with, and
 * so a bug of the handler.
 */
export function statusTrailers(error: unknown): StatusTrailers | undefined {
  if (!(error instanceof GrpcStatusError)) return undefined;
  const { code, retryDelayMs } = error.status;
  if (!Number.isInteger(code) || code <= 0) return undefined;
  const message = shortened(error.status.message);
  try {
    const details =
      retryDelayMs === undefined ? undefined : encodeStatus({ code, message, retryDelayMs });
    return { code, message, details };
  } catch (cause) {
    if (cause instanceof RangeError) return undefined;
    throw cause;
  }
}

/** What a peer is told of a handler's bug: nothing of its inside. */
export const HANDLER_BUG_MESSAGE = "internal error of the server";

function shortened(message: string): string {
  // Through UTF-8 and back also replaces lone surrogates, which percent-encoding refuses.
  const bytes = Buffer.from(message, "utf8");
  if (bytes.length <= STATUS_MESSAGE_BYTES_MAX) return bytes.toString("utf8");
  let end = STATUS_MESSAGE_BYTES_MAX;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}
