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

/** The error of a body above the limit; `what` is its size, or `larger` where that is not known. */
export function tooLarge(what: string, maxBytes: number): BodyError {
  const size = what === "larger" ? `is larger than` : `is ${what} bytes,`;
  return new BodyError("too_large", `body ${size} \`max_request_body_size\` ${maxBytes}`);
}
