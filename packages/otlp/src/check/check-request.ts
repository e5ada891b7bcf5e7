import { requestSchemas } from "../schema/requests.js";
import type { Signal } from "../signal.js";
import { explainFault } from "./explain-fault.js";
import { FramingError } from "./framing-error.js";
import { rowOf } from "./framing-table.js";
import { isWellFramed } from "./is-well-framed.js";

const rows: Readonly<Record<Signal, number>> = {
  traces: rowOf(requestSchemas.traces),
  metrics: rowOf(requestSchemas.metrics),
  logs: rowOf(requestSchemas.logs),
  profiles: rowOf(requestSchemas.profiles),
};

/**
 * Checks the framing of a whole request, so that everything after it may trust the structure and one
 * sender's broken bytes never spoil a merged request.
 *
 * Accepted is only what strict decoders take (Go's pdata, protobuf's own libraries, protobufjs):
 * - tags and lengths of at most 32 bits, field numbers from 1 on, every length inside its message;
 * - wire types 0, 1, 2 and 5, and for a field that OTLP defines only the one of its kind (or, for
 *   repeated numbers, packed too);
 * - varints of at most 64 bits in at most ten bytes; packed content that ends with an element;
 * - valid UTF-8 in strings; identifiers of traces, spans and profiles empty or of their length;
 * - at most 100 messages inside each other (`MAX_NESTED_MESSAGES`).
 *
 * Fields that OTLP does not define may hold anything; no bytes at all are an empty request.
 *
 * @throws FramingError that names the byte offset and the path of the first fault
 */
export function checkRequest(signal: Signal, bytes: Uint8Array): void {
  if (isWellFramed(bytes, 0, bytes.length, rows[signal])) return;
  throw (
    explainFault(bytes, 0, bytes.length, requestSchemas[signal]) ??
    new FramingError("request is refused without a known fault", 0, "")
  );
}
