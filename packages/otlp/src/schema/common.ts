import { nested, nestedList, scalar, scalars } from "./define.js";
import { MessageSchema } from "./message-schema.js";

const PACKAGE = "opentelemetry.proto.common.v1";

/** The value of an attribute or the body of a log record; the only message that contains itself. */
export const anyValue = new MessageSchema(`${PACKAGE}.AnyValue`, () => [
  scalar(1, "string_value", "string", { oneof: "value" }),
  scalar(2, "bool_value", "bool", { oneof: "value" }),
  scalar(3, "int_value", "int64", { oneof: "value" }),
  scalar(4, "double_value", "double", { oneof: "value" }),
  nested(5, "array_value", arrayValue, "value"),
  nested(6, "kvlist_value", keyValueList, "value"),
  scalar(7, "bytes_value", "bytes", { oneof: "value" }),
  scalar(8, "string_value_strindex", "int32", { oneof: "value" }),
]);

/** A list of values, which may be of different types. */
const arrayValue: MessageSchema = new MessageSchema(`${PACKAGE}.ArrayValue`, () => [
  nestedList(1, "values", anyValue),
]);

/** A map, written as a list of pairs. */
const keyValueList: MessageSchema = new MessageSchema(`${PACKAGE}.KeyValueList`, () => [
  nestedList(1, "values", keyValue),
]);

/** One attribute. */
export const keyValue: MessageSchema = new MessageSchema(`${PACKAGE}.KeyValue`, () => [
  scalar(1, "key", "string"),
  nested(2, "value", anyValue),
  scalar(3, "key_strindex", "int32"),
]);

/** The library that produced the items of one scope. */
export const instrumentationScope = new MessageSchema(`${PACKAGE}.InstrumentationScope`, () => [
  scalar(1, "name", "string"),
  scalar(2, "version", "string"),
  nestedList(3, "attributes", keyValue),
  scalar(4, "dropped_attributes_count", "uint32"),
]);

/** Which attributes of a Resource identify and describe one entity. */
export const entityRef = new MessageSchema(`${PACKAGE}.EntityRef`, () => [
  scalar(1, "schema_url", "string"),
  scalar(2, "type", "string"),
  scalars(3, "id_keys", "string"),
  scalars(4, "description_keys", "string"),
]);
