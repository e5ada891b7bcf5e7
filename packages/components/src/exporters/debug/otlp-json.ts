/** The JSON of an OTLP request as far as the debug exporter reads it; everything may be absent. */
export interface OtlpJson {
  readonly [key: string]: unknown;
}

/** A key with its value, as OTLP/JSON writes attributes. */
export interface JsonKeyValue {
  readonly key?: string;
  readonly value?: JsonAnyValue;
}

/** A value of any type, as OTLP/JSON writes it. */
export interface JsonAnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string | number;
  readonly doubleValue?: number | string;
  readonly bytesValue?: string;
  readonly arrayValue?: { readonly values?: readonly JsonAnyValue[] };
  readonly kvlistValue?: { readonly values?: readonly JsonKeyValue[] };
}

/** The messages in a repeated field; empty when the field is absent. */
export function messagesOf(parent: OtlpJson | undefined, key: string): readonly OtlpJson[] {
  const value = parent?.[key];
  return Array.isArray(value) ? (value as OtlpJson[]) : [];
}

/** The message in a field; an empty one when the field is absent. */
export function messageOf(parent: OtlpJson | undefined, key: string): OtlpJson {
  const value = parent?.[key];
  return typeof value === "object" && value !== null ? (value as OtlpJson) : {};
}

/** The text of a scalar field; empty when the field is absent. */
export function textOf(parent: OtlpJson | undefined, key: string): string {
  const value = parent?.[key];
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : "";
}

/** The attributes of a message, in wire order. */
export function attributesOf(parent: OtlpJson | undefined): readonly JsonKeyValue[] {
  return messagesOf(parent, "attributes") as readonly JsonKeyValue[];
}

/** A value without its type, as one word or as JSON. */
export function plainValue(value: JsonAnyValue | undefined): string {
  if (value === undefined) return "";
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.boolValue !== undefined) return String(value.boolValue);
  if (value.intValue !== undefined) return String(value.intValue);
  if (value.doubleValue !== undefined) return String(value.doubleValue);
  if (value.bytesValue !== undefined) return value.bytesValue;
  if (value.arrayValue !== undefined) {
    return `[${(value.arrayValue.values ?? []).map(quotedValue).join(",")}]`;
  }
  if (value.kvlistValue !== undefined) {
    const pairs = value.kvlistValue.values ?? [];
    const fields = pairs.map(
      (pair) => `${JSON.stringify(pair.key ?? "")}:${quotedValue(pair.value)}`,
    );
    return `{${fields.join(",")}}`;
  }
  return "";
}

/** A value with its type, such as `Str(checkout)`; the Collector's names of types. */
export function typedValue(value: JsonAnyValue | undefined): string {
  return `${typeName(value)}(${plainValue(value)})`;
}

function quotedValue(value: JsonAnyValue | undefined): string {
  const isText = value?.stringValue !== undefined || value?.bytesValue !== undefined;
  return isText ? JSON.stringify(plainValue(value)) : plainValue(value) || "null";
}

function typeName(value: JsonAnyValue | undefined): string {
  if (value?.stringValue !== undefined) return "Str";
  if (value?.boolValue !== undefined) return "Bool";
  if (value?.intValue !== undefined) return "Int";
  if (value?.doubleValue !== undefined) return "Double";
  if (value?.bytesValue !== undefined) return "Bytes";
  if (value?.arrayValue !== undefined) return "Slice";
  return value?.kvlistValue !== undefined ? "Map" : "Empty";
}
