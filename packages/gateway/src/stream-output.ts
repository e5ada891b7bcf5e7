import type { Writable } from "node:stream";
import { type MessageOutput, OutputClosedError, type ResultOutput } from "./process-environment.js";

/**
 * Bytes of messages that wait for a reader that has stalled; further ones are lost. A log that
 * nobody takes must not fill the memory of a gateway that works.
 */
export const waitingMessageBytesMax = 1_048_576;

/** Standard output as a place for results. */
export function resultOutput(stream: Writable): ResultOutput {
  // Every failure is told to its own `write` too; without a listener it would end the process.
  stream.on("error", () => undefined);
  return {
    write: (text) =>
      new Promise((resolve, reject) => {
        stream.write(text, (error) => {
          if (error === null || error === undefined) resolve();
          else reject(writeFailure(error));
        });
      }),
  };
}

/** Standard error as a place for messages. A gateway whose log is read no more works on. */
export function messageOutput(stream: Writable, isTerminal: boolean): MessageOutput {
  stream.on("error", () => undefined);
  return {
    isTerminal,
    write: (text) => {
      if (stream.writableLength < waitingMessageBytesMax) stream.write(text);
    },
  };
}

function writeFailure(cause: NodeJS.ErrnoException): Error {
  const isClosed = cause.code === "EPIPE" || cause.code === "ERR_STREAM_DESTROYED";
  return isClosed
    ? new OutputClosedError("standard output was closed", { cause })
    : new Error(`standard output cannot be written: ${cause.message}`, { cause });
}
