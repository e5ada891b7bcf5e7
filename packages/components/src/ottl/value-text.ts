import { Double, Identifier, isList, type Value } from "./value.js";

/**
 * A value as text, as functions take it that want a string: numbers in decimal, bytes in lower-case
 * hexadecimal, lists and maps as JSON; undefined for nil.
 */
export function textOf(value: Value): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (value instanceof Identifier) return value.text;
  if (value instanceof Double) return decimalText(value.value);
  if (isList(value) || value instanceof Map) return JSON.stringify(plain(value));
  return String(value);
}

/** The body of a log record as text, in which bytes are base64. */
export function bodyText(value: Value): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  return textOf(value) ?? "";
}

// Go writes decimals without exponent and infinities in its own way.
function decimalText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  if (Math.abs(value) >= 1e21) return BigInt(value).toString();
  if (value !== 0 && Math.abs(value) < 1e-6) return value.toFixed(20).replace(/0+$/, "");
  return String(value);
}

function plain(value: Value): unknown {
  if (value === undefined) return null;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Double) return value.value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof Identifier) return value.text;
  if (isList(value)) return value.map(plain);
  if (value instanceof Map) {
    const entries = [...value].sort(([one], [other]) => (one < other ? -1 : 1));
    return Object.fromEntries(entries.map(([key, entry]) => [key, plain(entry)]));
  }
  return value;
}
