import type { AttributeValue } from "@inode-gateway/otlp";

/**
 * A value as text, as the Collector writes it: numbers like JSON, bytes as base64, lists and maps as
 * JSON with sorted keys; empty for no value.
 */
export function textOfValue(value: AttributeValue): string {
  if (typeof value === "string") return value;
  if (value === undefined) return "";
  if (typeof value === "number") return textOfNumber(value);
  if (typeof value !== "object") return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  // Go's encoder gives up on what JSON has no word for, and the text stays empty.
  return jsonOf(value) ?? "";
}

function textOfNumber(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** Undefined when JSON cannot say it: a number that is not finite. */
function jsonOf(value: AttributeValue): string | undefined {
  if (value === undefined) return "null";
  if (typeof value === "number") return Number.isFinite(value) ? textOfNumber(value) : undefined;
  if (typeof value === "string") return quoted(value);
  if (typeof value !== "object") return String(value);
  if (value instanceof Uint8Array) return quoted(textOfValue(value));
  if (Array.isArray(value)) return joined("[", value.map(jsonOf), "]");
  const entries = Object.entries(value).sort(([one], [other]) => compareBytes(one, other));
  const members = entries.map(([key, element]) => {
    const json = jsonOf(element);
    return json === undefined ? undefined : `${quoted(key)}:${json}`;
  });
  return joined("{", members, "}");
}

function joined(open: string, parts: readonly (string | undefined)[], close: string) {
  return parts.includes(undefined) ? undefined : `${open}${parts.join(",")}${close}`;
}

// Go escapes the two line separators of JavaScript as well.
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}

function compareBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
