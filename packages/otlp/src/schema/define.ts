import type { EnumSchema, FieldSchema, MessageSchema, ScalarKind } from "./message-schema.js";

interface FieldTraits {
  readonly oneof?: string;
  readonly optional?: boolean;
  readonly hexIdBytes?: 8 | 16;
}

/** A field that holds one scalar. */
export function scalar(
  number: number,
  name: string,
  kind: Exclude<ScalarKind, "enum">,
  traits: FieldTraits = {},
): FieldSchema {
  return {
    number,
    name,
    jsonName: lowerCamelCase(name),
    kind,
    repeated: false,
    packed: false,
    oneof: traits.oneof,
    hasPresence: traits.oneof !== undefined || traits.optional === true,
    message: undefined,
    enumType: undefined,
    hexIdBytes: traits.hexIdBytes,
  };
}

/** A field that holds any number of scalars. */
export function scalars(
  number: number,
  name: string,
  kind: Exclude<ScalarKind, "enum">,
): FieldSchema {
  const packed = kind !== "string" && kind !== "bytes";
  return { ...scalar(number, name, kind), repeated: true, packed };
}

/** A field that holds one number of an enum. */
export function enumerated(number: number, name: string, enumType: EnumSchema): FieldSchema {
  return { ...scalar(number, name, "int32"), kind: "enum", enumType };
}

/** A field that holds one message. */
export function nested(
  number: number,
  name: string,
  message: MessageSchema,
  oneof?: string,
): FieldSchema {
  const base = scalar(number, name, "bytes");
  return { ...base, kind: "message", message, oneof, hasPresence: true };
}

/** A field that holds any number of messages. */
export function nestedList(number: number, name: string, message: MessageSchema): FieldSchema {
  return { ...nested(number, name, message), repeated: true, hasPresence: false };
}

/** An enum whose numbers are given by name. */
export function defineEnum(name: string, values: Readonly<Record<string, number>>): EnumSchema {
  return { name, values: new Map(Object.entries(values)) };
}

// The rule of protoc: an underscore goes, the letter after it becomes a capital.
function lowerCamelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
