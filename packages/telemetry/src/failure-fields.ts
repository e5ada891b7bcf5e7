import type { LogFields } from "@inode-gateway/contract";

/** Errors of the language and of `node:assert`: nothing outside the program can cause them. */
const bugNames: ReadonlySet<string> = new Set([
  "AssertionError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "TypeError",
]);

/** Causes that are looked at; a chain that is longer is a bug by itself. */
const causesMax = 10;

/**
 * Fields of a log line about something that could not be started or stopped.
 *
 * What a port, a file or a destination refused is told as one sentence, `reason`: the person on call
 * needs no stack for it. A bug, anywhere in the chain of causes, is told whole, `error`.
 */
export function failureFields(error: unknown): LogFields {
  let cause = error;
  for (let depth = 0; depth < causesMax && cause instanceof Error; depth++) {
    if (bugNames.has(cause.name)) return { error };
    cause = cause.cause;
  }
  return cause === undefined && error instanceof Error ? { reason: error.message } : { error };
}
