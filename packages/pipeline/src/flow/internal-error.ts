/**
 * A consumer threw what no consumer may throw: a bug of ours. Receivers answer it as INTERNAL or 500.
 *
 * The message names the component and says nothing of the cause, since it may reach a sender; the cause
 * is kept, and has been logged and counted where it was caught.
 */
export class InternalError extends Error {
  override readonly name = "InternalError";
}
