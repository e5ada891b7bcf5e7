import { instrumentationScope, keyValue } from "./common.js";
import { defineEnum, enumerated, nested, nestedList, scalar } from "./define.js";
import { MessageSchema } from "./message-schema.js";
import { resource } from "./resource.js";

const PACKAGE = "opentelemetry.proto.trace.v1";

/** The spans of one Resource. */
export const resourceSpans = new MessageSchema(`${PACKAGE}.ResourceSpans`, () => [
  nested(1, "resource", resource),
  nestedList(2, "scope_spans", scopeSpans),
  scalar(3, "schema_url", "string"),
]);

/** The spans of one instrumentation scope. */
const scopeSpans = new MessageSchema(`${PACKAGE}.ScopeSpans`, () => [
  nested(1, "scope", instrumentationScope),
  nestedList(2, "spans", span),
  scalar(3, "schema_url", "string"),
]);

/** The role of a span in a call. */
const spanKind = defineEnum(`${PACKAGE}.Span.SpanKind`, {
  SPAN_KIND_UNSPECIFIED: 0,
  SPAN_KIND_INTERNAL: 1,
  SPAN_KIND_SERVER: 2,
  SPAN_KIND_CLIENT: 3,
  SPAN_KIND_PRODUCER: 4,
  SPAN_KIND_CONSUMER: 5,
});

/** One operation within a trace. */
const span = new MessageSchema(`${PACKAGE}.Span`, () => [
  scalar(1, "trace_id", "bytes", { hexIdBytes: 16 }),
  scalar(2, "span_id", "bytes", { hexIdBytes: 8 }),
  scalar(3, "trace_state", "string"),
  scalar(4, "parent_span_id", "bytes", { hexIdBytes: 8 }),
  scalar(16, "flags", "fixed32"),
  scalar(5, "name", "string"),
  enumerated(6, "kind", spanKind),
  scalar(7, "start_time_unix_nano", "fixed64"),
  scalar(8, "end_time_unix_nano", "fixed64"),
  nestedList(9, "attributes", keyValue),
  scalar(10, "dropped_attributes_count", "uint32"),
  nestedList(11, "events", spanEvent),
  scalar(12, "dropped_events_count", "uint32"),
  nestedList(13, "links", spanLink),
  scalar(14, "dropped_links_count", "uint32"),
  nested(15, "status", status),
]);

/** Something that happened during a span. */
const spanEvent = new MessageSchema(`${PACKAGE}.Span.Event`, () => [
  scalar(1, "time_unix_nano", "fixed64"),
  scalar(2, "name", "string"),
  nestedList(3, "attributes", keyValue),
  scalar(4, "dropped_attributes_count", "uint32"),
]);

/** A reference to another span. */
const spanLink = new MessageSchema(`${PACKAGE}.Span.Link`, () => [
  scalar(1, "trace_id", "bytes", { hexIdBytes: 16 }),
  scalar(2, "span_id", "bytes", { hexIdBytes: 8 }),
  scalar(3, "trace_state", "string"),
  nestedList(4, "attributes", keyValue),
  scalar(5, "dropped_attributes_count", "uint32"),
  scalar(6, "flags", "fixed32"),
]);

/** How a span ended. */
const statusCode = defineEnum(`${PACKAGE}.Status.StatusCode`, {
  STATUS_CODE_UNSET: 0,
  STATUS_CODE_OK: 1,
  STATUS_CODE_ERROR: 2,
});

/** How a span ended, and why. */
const status = new MessageSchema(`${PACKAGE}.Status`, () => [
  scalar(2, "message", "string"),
  enumerated(3, "code", statusCode),
]);
