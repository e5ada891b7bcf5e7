import { EvaluationError } from "./condition-error.js";
import { Double, Identifier, isList, type Value } from "./value.js";

/**
 * A value as text, as functions take it that want a string: bytes in lower-case hexadecimal, everything
 * else as JSON; undefined for nil.
 *
 * @throws EvaluationError when JSON has no word for it: a number that is not finite
 */
export function textOf(value: Value): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  return escapedForHtml(jsonOf(value));
}

/** The body of a log record as text, in which bytes are base64; empty when JSON cannot say it. */
export function bodyText(value: Value): string {
  if (value === undefined || typeof value === "string") return value ?? "";
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  try {
    return jsonOf(value);
  } catch (error) {
    if (error instanceof EvaluationError) return "";
    throw error;
  }
}

function jsonOf(value: Value): string {
  if (value === undefined) return "null";
  if (typeof value === "string") return quoted(value);
  if (value instanceof Double) return textOfDouble(value.value);
  if (value instanceof Uint8Array) return quoted(Buffer.from(value).toString("base64"));
  // An array of bytes to Go's encoder.
  if (value instanceof Identifier) return `[${value.bytes.join(",")}]`;
  if (isList(value)) return `[${value.map(jsonOf).join(",")}]`;
  if (!(value instanceof Map)) return String(value);
  const sorted = [...value].sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${sorted.map(([key, entry]) => `${quoted(key)}:${jsonOf(entry)}`).join(",")}}`;
}

function textOfDouble(value: number): string {
  if (!Number.isFinite(value)) throw new EvaluationError(`${value} cannot be written as text`);
  return Object.is(value, -0) ? "-0" : String(value);
}

// Go escapes the two line separators of JavaScript as well.
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}

function escapedForHtml(json: string): string {
  return json.replaceAll("<", "\\u003c").replaceAll(">", "\\u003e").replaceAll("&", "\\u0026");
}
