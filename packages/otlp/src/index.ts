export type { AttributeScalar, AttributeValue } from "./attribute/attribute-value.js";
export { decodeAnyValue, decodeKeyValue } from "./attribute/decode-any-value.js";
export {
  encodeAnyValue,
  encodeDoubleValue,
  writeAnyValue,
  writeAttribute,
} from "./attribute/write-attribute.js";
export { checkRequest } from "./check/check-request.js";
export { FramingError } from "./check/framing-error.js";
export { MAX_NESTED_MESSAGES, MAX_VARINT_BYTES, MAX_VARINT32_BYTES } from "./check/limits.js";
export { countItems } from "./count/count-items.js";
export {
  AttributeList,
  EDITED_ATTRIBUTES_MAX,
  TooManyAttributesError,
} from "./edit/attribute-list.js";
export { type DropDecider, dropItems, type RemainingRequest } from "./edit/drop-items.js";
export { type AttributeEdit, editResource } from "./edit/edit-resource.js";
export { MessageSplice } from "./edit/message-splice.js";
export { type ResourceReplacer, replaceResources } from "./edit/replace-resources.js";
export type { SpliceTarget } from "./edit/request-splice.js";
export {
  type ItemFate,
  type ItemRewriter,
  type RewrittenRequest,
  rewriteItems,
} from "./edit/rewrite-items.js";
export { SplicedBytes } from "./edit/spliced-bytes.js";
export { JsonMappingError } from "./json/json-mapping-error.js";
export { jsonToProtobuf } from "./json/json-to-protobuf.js";
export { protobufToJson } from "./json/protobuf-to-json.js";
export { mergeRequests } from "./merge/merge-requests.js";
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
export { type RequestPart, type SplitLimits, splitRequest } from "./split/split-request.js";
export { EMPTY_ATTRIBUTE, findAttribute, NO_ATTRIBUTE } from "./views/find-attribute.js";
export { LogRecordView } from "./views/log-record-view.js";
export { AttributedView, MessageView } from "./views/message-view.js";
export {
  DataPointView,
  ExponentialHistogramDataPointView,
  HistogramDataPointView,
  type MetricType,
  MetricView,
  NumberDataPointView,
  SummaryDataPointView,
} from "./views/metric-view.js";
export { MovableView } from "./views/movable-view.js";
export { RequestView, ResourceItemsView, ScopeItemsView } from "./views/request-view.js";
export { ResourceView } from "./views/resource-view.js";
export { ScopeView } from "./views/scope-view.js";
export { SpanEventView, SpanLinkView, SpanView } from "./views/span-view.js";
export { FieldCursor } from "./wire/field-cursor.js";
export { readDouble, readFixed32, readFixed64, readSfixed64 } from "./wire/fixed.js";
export { equalsText, readText } from "./wire/text.js";
export {
  endOfVarint,
  fromHalves,
  readInt64,
  readUint64,
  readVarint32,
  varint32Length,
  writeVarint32,
} from "./wire/varint.js";
export { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from "./wire/wire-type.js";
export { WireWriter } from "./wire/wire-writer.js";
