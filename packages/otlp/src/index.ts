import type { AttributeScalar, AttributeValue } from "./attribute/attribute-value.js";
import type { Signal } from "./signal.js";

export type { AttributeScalar, AttributeValue } from "./attribute/attribute-value.js";
export { writeAnyValue, writeAttribute } from "./attribute/write-attribute.js";
export { checkRequest } from "./check/check-request.js";
export { FramingError } from "./check/framing-error.js";
export { MAX_NESTED_MESSAGES, MAX_VARINT_BYTES, MAX_VARINT32_BYTES } from "./check/limits.js";
export { countItems } from "./count/count-items.js";
export { JsonMappingError } from "./json/json-mapping-error.js";
export { jsonToProtobuf } from "./json/json-to-protobuf.js";
export { protobufToJson } from "./json/protobuf-to-json.js";
export {
  decodeResponse,
  decodeResponseJson,
  encodeResponse,
  encodeResponseJson,
  MAX_RESPONSE_BYTES,
  MalformedResponseError,
  type PartialSuccess,
} from "./response.js";
export type {
  EnumSchema,
  FieldKind,
  FieldSchema,
  MessageSchema,
  ScalarKind,
} from "./schema/message-schema.js";
export { requestSchemas } from "./schema/requests.js";
export { type Signal, signals } from "./signal.js";
export { FieldCursor } from "./wire/field-cursor.js";
export {
  endOfVarint,
  fromHalves,
  readInt64,
  readUint64,
  readVarint32,
  varint32Length,
} from "./wire/varint.js";
export { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from "./wire/wire-type.js";
export { WireWriter } from "./wire/wire-writer.js";

export type ResourceReplacer = (
  bytes: Uint8Array,
  start: number,
  end: number,
) => Uint8Array | undefined;
export declare function replaceResources(
  bytes: Uint8Array,
  replace: ResourceReplacer,
): Uint8Array[] | undefined;
export declare class ResourceView {
  constructor(bytes: Uint8Array, start?: number, end?: number);
  attribute(key: string): AttributeValue;
  attributes(): IterableIterator<[string, AttributeValue]>;
}
export interface AttributeEdit {
  readonly set?: ReadonlyMap<string, AttributeScalar>;
  readonly setIfAbsent?: ReadonlyMap<string, AttributeScalar>;
  readonly remove?: ReadonlySet<string>;
}
export declare function editResource(
  bytes: Uint8Array,
  start: number,
  end: number,
  edit: AttributeEdit,
): Uint8Array;
export interface SplitLimits {
  readonly maxItems?: number;
  readonly maxBytes?: number;
}
export interface RequestPart {
  readonly chunks: readonly Uint8Array[];
  readonly itemCount: number;
}
export declare function splitRequest(
  signal: Signal,
  bytes: Uint8Array,
  limits: SplitLimits,
): RequestPart[];
