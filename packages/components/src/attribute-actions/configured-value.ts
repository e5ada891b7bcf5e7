import type { AttributeValue } from "@inode-gateway/otlp";

/** Deepest nesting of a configured value. */
const DEPTH_MAX = 16;

/** Why a value out of a configuration cannot be an attribute; undefined when it can. */
export function configuredValueProblem(value: unknown, depth: number = 0): string | undefined {
  if (depth > DEPTH_MAX) return `lists and maps nest deeper than ${DEPTH_MAX}`;
  if (value === null || ["string", "number", "boolean"].includes(typeof value)) return undefined;
  if (typeof value !== "object") return `${typeof value} is no value of an attribute`;
  for (const element of Object.values(value)) {
    const problem = configuredValueProblem(element, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** A checked value out of a configuration as the value of an attribute; null is an empty value. */
export function toAttributeValue(value: unknown): AttributeValue {
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) return value.map(toAttributeValue);
  if (typeof value !== "object") return value as string | number | boolean;
  const map: { [key: string]: AttributeValue } = Object.create(null);
  for (const [key, element] of Object.entries(value)) map[key] = toAttributeValue(element);
  return map;
}
