import type { Metadata } from "./metadata.js";
import type { Status } from "./status.js";

/** A call of which only the headers have arrived. */
export interface CallStart {
  readonly path: string;
  /** Names are lower-case; without the transport's own headers. */
  readonly metadata: Metadata;
  /** As in `UnaryCall`. */
  readonly peer: string;
}

/** What an admission knows of the caller; handed to the handler as `UnaryCall.auth`. */
export type CallerFacts = ReadonlyMap<string, string>;

/**
 * Decides about a call before its message is kept: by its headers, and by whatever else is known.
 *
 * A call that is let in without waiting never costs a promise. While a promise is pending the message
 * may arrive, within `MessageMemory`.
 *
 * @throws GrpcStatusError to refuse the call with that status; so may the promise
 */
export type CallAdmission = (
  call: CallStart,
) => CallerFacts | undefined | Promise<CallerFacts | undefined>;

/** A budget of bytes for the messages of all calls; asked as soon as a message's length is known. */
export interface MessageMemory {
  /** Takes `bytes`, or says with which status the call is refused; then nothing is taken. */
  take(bytes: number): Status | undefined;
  /** Gives back what `take` took: the message has been handled, or will never be. */
  giveBack(bytes: number): void;
}
