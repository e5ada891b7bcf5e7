import { encodeAnyValue, encodeDoubleValue } from "@inode-gateway/otlp";
import { parseGoDouble, parseGoInteger } from "./go-numbers.js";
import { readTypedValue, type TypedValue } from "./typed-value.js";
import { textOfValue } from "./value-text.js";

/** What `converted_type` may be. */
export const conversionTargets = ["int", "double", "string"] as const;

/** One of {@link conversionTargets}. */
export type ConversionTarget = (typeof conversionTargets)[number];

const INT64_LIMIT = 2 ** 63;

/**
 * Converts an AnyValue message to another type, as the Collector's `convert` does.
 *
 * @returns undefined when the value stays as it is: it has the type already, or cannot be converted
 */
export function convertValue(
  message: Uint8Array,
  target: ConversionTarget,
): Uint8Array | undefined {
  const typed = readTypedValue(message);
  if (typed.type === target) return undefined;
  switch (target) {
    case "string":
      return encodeAnyValue(textOfValue(typed.value));
    case "int": {
      const value = toInteger(typed);
      return value === undefined ? undefined : encodeAnyValue(value);
    }
    case "double": {
      const value = toDouble(typed);
      return value === undefined ? undefined : encodeDoubleValue(value);
    }
  }
}

function toInteger({ type, value }: TypedValue): bigint | undefined {
  if (type === "bool") return value === true ? 1n : 0n;
  if (type === "string") return parseGoInteger(value as string);
  if (type !== "double") return undefined;
  // A double outside of 64 bits has no integer; what Go makes of it depends on the processor.
  const whole = Math.trunc(Number(value));
  return whole >= -INT64_LIMIT && whole < INT64_LIMIT ? BigInt(whole) : undefined;
}

function toDouble({ type, value }: TypedValue): number | undefined {
  if (type === "bool") return value === true ? 1 : 0;
  if (type === "string") return parseGoDouble(value as string);
  return type === "int" ? Number(value) : undefined;
}
