/** Reads what a server sends on one connection, and says what is wrong with it. */
export interface ResponseReader {
  /** Takes what arrived; gives what the protocol makes the client answer at once. */
  take(chunk: Buffer): Buffer | undefined;
  /** Whether every request that was sent has its answer, or none will come any more. */
  readonly isComplete: boolean;
  /** How the requests ended, such as `http 400` or `grpc 3`; for the report. */
  readonly outcomes: readonly string[];
  /** What no server may send; complete once the connection has ended. */
  problems(wasReset: boolean): string[];
}
