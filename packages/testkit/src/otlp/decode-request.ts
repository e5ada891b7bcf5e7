import type { Signal } from "@inode-gateway/otlp";
import { requestType } from "./definitions.js";

/**
 * Decodes a request with protobufjs and the files in `proto/`: a second opinion on our own code.
 *
 * Field names as in the definition files; 64-bit integers as decimal text, enums as numbers, bytes
 * as Uint8Array; unset fields are absent, unknown ones dropped.
 *
 * @throws RangeError or Error when protobufjs cannot decode the bytes
 */
export function decodeRequest(signal: Signal, bytes: Uint8Array): Record<string, unknown> {
  const type = requestType(signal);
  return type.toObject(type.decode(bytes), { longs: String, enums: Number });
}
