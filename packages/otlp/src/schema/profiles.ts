import { anyValue, instrumentationScope } from "./common.js";
import { nested, nestedList, scalar, scalars } from "./define.js";
import { MessageSchema } from "./message-schema.js";
import { resource } from "./resource.js";

const PACKAGE = "opentelemetry.proto.profiles.v1development";

/** Tables that all profiles of one request point into; the reason why profiles cannot be merged. */
export const profilesDictionary = new MessageSchema(`${PACKAGE}.ProfilesDictionary`, () => [
  nestedList(1, "mapping_table", mapping),
  nestedList(2, "location_table", location),
  nestedList(3, "function_table", functionInfo),
  nestedList(4, "link_table", link),
  scalars(5, "string_table", "string"),
  nestedList(6, "attribute_table", keyValueAndUnit),
  nestedList(7, "stack_table", stack),
]);

/** The profiles of one Resource. */
export const resourceProfiles = new MessageSchema(`${PACKAGE}.ResourceProfiles`, () => [
  nested(1, "resource", resource),
  nestedList(2, "scope_profiles", scopeProfiles),
  scalar(3, "schema_url", "string"),
]);

/** The profiles of one instrumentation scope. */
const scopeProfiles = new MessageSchema(`${PACKAGE}.ScopeProfiles`, () => [
  nested(1, "scope", instrumentationScope),
  nestedList(2, "profiles", profile),
  scalar(3, "schema_url", "string"),
]);

/** Samples of one type, taken over one time. */
const profile = new MessageSchema(`${PACKAGE}.Profile`, () => [
  nested(1, "sample_type", valueType),
  nestedList(2, "samples", sample),
  scalar(3, "time_unix_nano", "fixed64"),
  scalar(4, "duration_nano", "uint64"),
  nested(5, "period_type", valueType),
  scalar(6, "period", "int64"),
  scalar(7, "profile_id", "bytes", { hexIdBytes: 16 }),
  scalar(8, "dropped_attributes_count", "uint32"),
  scalar(9, "original_payload_format", "string"),
  scalar(10, "original_payload", "bytes"),
  scalars(11, "attribute_indices", "int32"),
]);

/** The span that a sample was taken in. */
const link = new MessageSchema(`${PACKAGE}.Link`, () => [
  scalar(1, "trace_id", "bytes", { hexIdBytes: 16 }),
  scalar(2, "span_id", "bytes", { hexIdBytes: 8 }),
]);

/** The meaning and unit of the values of a sample. */
const valueType = new MessageSchema(`${PACKAGE}.ValueType`, () => [
  scalar(1, "type_strindex", "int32"),
  scalar(2, "unit_strindex", "int32"),
]);

/** What was measured at one stack. */
const sample = new MessageSchema(`${PACKAGE}.Sample`, () => [
  scalar(1, "stack_index", "int32"),
  scalars(2, "attribute_indices", "int32"),
  scalar(3, "link_index", "int32"),
  scalars(4, "values", "int64"),
  scalars(5, "timestamps_unix_nano", "fixed64"),
]);

/** A binary mapped into a process. */
const mapping = new MessageSchema(`${PACKAGE}.Mapping`, () => [
  scalar(1, "memory_start", "uint64"),
  scalar(2, "memory_limit", "uint64"),
  scalar(3, "file_offset", "uint64"),
  scalar(4, "filename_strindex", "int32"),
  scalars(5, "attribute_indices", "int32"),
]);

/** A call stack, innermost frame first. */
const stack = new MessageSchema(`${PACKAGE}.Stack`, () => [
  scalars(1, "location_indices", "int32"),
]);

/** One frame of a stack. */
const location = new MessageSchema(`${PACKAGE}.Location`, () => [
  scalar(1, "mapping_index", "int32"),
  scalar(2, "address", "uint64"),
  nestedList(3, "lines", line),
  scalars(4, "attribute_indices", "int32"),
]);

/** A position in source code. */
const line = new MessageSchema(`${PACKAGE}.Line`, () => [
  scalar(1, "function_index", "int32"),
  scalar(2, "line", "int64"),
  scalar(3, "column", "int64"),
]);

/** A function of the profiled program. */
const functionInfo = new MessageSchema(`${PACKAGE}.Function`, () => [
  scalar(1, "name_strindex", "int32"),
  scalar(2, "system_name_strindex", "int32"),
  scalar(3, "filename_strindex", "int32"),
  scalar(4, "start_line", "int64"),
]);

/** An attribute whose key and unit are positions in the string table. */
const keyValueAndUnit = new MessageSchema(`${PACKAGE}.KeyValueAndUnit`, () => [
  scalar(1, "key_strindex", "int32"),
  nested(2, "value", anyValue),
  scalar(3, "unit_strindex", "int32"),
]);
