import { type AttributeValue, decodeAnyValue, FieldCursor } from "@inode-gateway/otlp";

/** The types of an attribute value, by the names that the Collector gives them in `converted_type`. */
export type ValueType = "empty" | "string" | "bool" | "int" | "double" | "array" | "map" | "bytes";

// By the number of the field of an AnyValue.
const types: readonly (ValueType | undefined)[] = [
  undefined,
  "string",
  "bool",
  "int",
  "double",
  "array",
  "map",
  "bytes",
];

/** A decoded value whose type is known: a number alone does not say whether it was an int. */
export interface TypedValue {
  readonly type: ValueType;
  readonly value: AttributeValue;
}

/** Type of an AnyValue message; of several values, which the oneof forbids, the last one counts. */
export function typeOfValue(message: Uint8Array): ValueType {
  let type: ValueType = "empty";
  const field = new FieldCursor(message, 0, message.byteLength);
  while (field.next()) type = types[field.number] ?? type;
  return type;
}

/** Decodes an AnyValue message. */
export function readTypedValue(message: Uint8Array): TypedValue {
  const value = decodeAnyValue(message, 0, message.byteLength);
  return { type: typeOfValue(message), value };
}
