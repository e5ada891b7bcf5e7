import { JsonMappingError } from "./json/json-mapping-error.js";
import { jsonToMessage } from "./json/json-to-protobuf.js";
import { messageToJson } from "./json/protobuf-to-json.js";
import { nested, scalar } from "./schema/define.js";
import { MessageSchema } from "./schema/message-schema.js";
import type { Signal } from "./signal.js";
import { FieldCursor } from "./wire/field-cursor.js";
import { readInt64 } from "./wire/varint.js";
import { LENGTH_DELIMITED, VARINT } from "./wire/wire-type.js";
import { WireWriter } from "./wire/wire-writer.js";

/**
 * Largest response that is written, in either encoding: the limit that the specification
 * recommends to receivers of a response. A longer `errorMessage` is shortened.
 */
export const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;

// More than all of a response but the error message takes: keys, tags, lengths, the count.
const FRAME_BYTES = 128;
const SHORTENED = "... (shortened)";

const PARTIAL_SUCCESS = 1;
const REJECTED_ITEMS = 1;
const ERROR_MESSAGE = 2;

/** What a receiver says of a request that it accepted, but not all of or not gladly. */
export interface PartialSuccess {
  /** Spans, data points, log records or profiles that were not accepted; 0 makes it a warning. */
  readonly rejectedItems: number;
  /** Why, for a person to read; may be empty. */
  readonly errorMessage: string;
}

/** A response that is not an OTLP export response. */
export class MalformedResponseError extends Error {
  override readonly name = "MalformedResponseError";
}

/** The export response of each signal. */
const responseSchemas: Readonly<Record<Signal, MessageSchema>> = {
  traces: responseSchema("trace.v1", "Trace", "rejected_spans"),
  metrics: responseSchema("metrics.v1", "Metrics", "rejected_data_points"),
  logs: responseSchema("logs.v1", "Logs", "rejected_log_records"),
  profiles: responseSchema("profiles.v1development", "Profiles", "rejected_profiles"),
};

/**
 * The response to an export request, as protobuf.
 *
 * No bytes at all when there is nothing to say (`partial` undefined, or 0 and an empty text): the
 * specification demands that `partial_success` is left unset then.
 *
 * @throws RangeError when `rejectedItems` is not an integer from 0 to 2^53 - 1
 */
export function encodeResponse(_signal: Signal, partial?: PartialSuccess): Uint8Array {
  const { rejectedItems, errorMessage } = partial ?? { rejectedItems: 0, errorMessage: "" };
  if (!Number.isSafeInteger(rejectedItems) || rejectedItems < 0) {
    throw new RangeError(`\`rejectedItems\` is ${rejectedItems}, expected an integer from 0`);
  }
  const writer = new WireWriter();
  if (rejectedItems > 0 || errorMessage !== "") {
    const mark = writer.startMessage(PARTIAL_SUCCESS);
    if (rejectedItems > 0) writer.varintField(REJECTED_ITEMS, rejectedItems);
    if (errorMessage !== "") writer.bytesField(ERROR_MESSAGE, shorten(errorMessage));
    writer.endMessage(mark);
  }
  return writer.finish();
}

/**
 * The response to an export request, as JSON: `{}` when there is nothing to say.
 *
 * @throws RangeError as {@link encodeResponse} does
 */
export function encodeResponseJson(signal: Signal, partial?: PartialSuccess): Uint8Array {
  return messageToJson(responseSchemas[signal], encodeResponse(signal, partial));
}

/**
 * Reads the response to an export request from protobuf.
 *
 * A count that no receiver could mean is cut to the range 0 to 2^53 - 1.
 *
 * @returns undefined when everything was accepted: partial success unset, or 0 and an empty text
 * @throws MalformedResponseError when the bytes are not such a response
 */
export function decodeResponse(signal: Signal, bytes: Uint8Array): PartialSuccess | undefined {
  const result = { rejectedItems: 0, errorMessage: "" };
  try {
    const response = new FieldCursor(bytes, 0, bytes.byteLength);
    while (response.next()) {
      if (response.number === PARTIAL_SUCCESS && response.wireType === LENGTH_DELIMITED) {
        readPartialSuccess(bytes, response.contentStart, response.contentEnd, result);
      }
    }
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw malformed(signal, "protobuf", cause);
  }
  return result.rejectedItems === 0 && result.errorMessage === "" ? undefined : result;
}

/**
 * Reads the response to an export request from JSON; see {@link decodeResponse}.
 *
 * @throws MalformedResponseError when the text is not such a response
 */
export function decodeResponseJson(signal: Signal, json: Uint8Array): PartialSuccess | undefined {
  let bytes: Uint8Array;
  try {
    bytes = jsonToMessage(responseSchemas[signal], json);
  } catch (cause) {
    if (!(cause instanceof JsonMappingError)) throw cause;
    throw malformed(signal, "JSON", cause);
  }
  return decodeResponse(signal, bytes);
}

function responseSchema(packageName: string, service: string, rejected: string): MessageSchema {
  const prefix = `opentelemetry.proto.collector.${packageName}.Export${service}`;
  const partialSuccess = new MessageSchema(`${prefix}PartialSuccess`, () => [
    scalar(REJECTED_ITEMS, rejected, "int64"),
    scalar(ERROR_MESSAGE, "error_message", "string"),
  ]);
  return new MessageSchema(`${prefix}ServiceResponse`, () => [
    nested(PARTIAL_SUCCESS, "partial_success", partialSuccess),
  ]);
}

function readPartialSuccess(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: { rejectedItems: number; errorMessage: string },
): void {
  const field = new FieldCursor(bytes, start, end);
  while (field.next()) {
    if (field.number === REJECTED_ITEMS && field.wireType === VARINT) {
      const count = Number(readInt64(bytes, field.contentStart));
      into.rejectedItems = Math.min(Math.max(count, 0), Number.MAX_SAFE_INTEGER);
    } else if (field.number === ERROR_MESSAGE && field.wireType === LENGTH_DELIMITED) {
      const text = bytes.subarray(field.contentStart, field.contentEnd);
      into.errorMessage = Buffer.from(text).toString("utf8");
    }
  }
}

// The same text in both encodings: as much of it as JSON, where a character may take six bytes,
// has room for.
function shorten(text: string): Uint8Array {
  const bytes = Buffer.from(text, "utf8");
  let room = MAX_RESPONSE_BYTES - FRAME_BYTES;
  let kept = 0;
  for (; kept < bytes.length; kept++) {
    const byte = bytes[kept] as number;
    room -= byte < 0x20 ? 6 : byte === 0x22 || byte === 0x5c ? 2 : 1;
    if (room < 0) break;
  }
  if (kept === bytes.length) return bytes;
  kept = Math.max(0, kept - SHORTENED.length);
  while (kept > 0 && ((bytes[kept] as number) & 0xc0) === 0x80) kept--;
  return Buffer.concat([bytes.subarray(0, kept), Buffer.from(SHORTENED)]);
}

function malformed(signal: Signal, encoding: string, cause: Error): MalformedResponseError {
  const message = `the response to a ${signal} export is not ${encoding}: ${cause.message}`;
  return new MalformedResponseError(message, { cause });
}
