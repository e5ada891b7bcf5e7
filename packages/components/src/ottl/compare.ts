import { Double, Identifier, isList, type Value, type ValueMap } from "./value.js";

/** The comparison operators of the language. */
export type ComparisonOperator = "==" | "!=" | "<" | "<=" | ">" | ">=";

/**
 * Compares two values by the rules of the language: int with float as floats, false below true, bytes
 * one by one, nil only with nil and with empty bytes, which are nil to Go. What cannot be compared is
 * neither equal nor ordered; only `!=` is true of it.
 */
export function compareValues(left: Value, operator: ComparisonOperator, right: Value): boolean {
  if (operator === "==") return equalValues(left, right);
  if (operator === "!=") return !equalValues(left, right);
  const order = orderOf(left, right);
  switch (operator) {
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
  }
}

/** Whether two values are equal by the rules of the language. */
export function equalValues(left: Value, right: Value): boolean {
  if (left === right) return true;
  if (left instanceof Identifier || right instanceof Identifier) {
    if (!(left instanceof Identifier && right instanceof Identifier)) return false;
    return left.kind === right.kind && Buffer.compare(left.bytes, right.bytes) === 0;
  }
  if (isList(left)) {
    return isList(right) && left.length === right.length && left.every(isSameAt(right));
  }
  if (left instanceof Map) return right instanceof Map && equalMaps(left, right);
  return orderOf(left, right) === 0;
}

/** Below, at or above 0; NaN where there is no order. */
function orderOf(left: Value, right: Value): number {
  const isNil = isNilOrEmpty(left);
  if (isNil || isNilOrEmpty(right)) return isNil && isNilOrEmpty(right) ? 0 : Number.NaN;
  if (typeof left === "string") {
    return typeof right === "string" ? orderOfTexts(left, right) : Number.NaN;
  }
  if (typeof left === "boolean") {
    return typeof right === "boolean" ? Number(left) - Number(right) : Number.NaN;
  }
  if (left instanceof Uint8Array) {
    return right instanceof Uint8Array ? Buffer.compare(left, right) : Number.NaN;
  }
  return orderOfNumbers(left, right);
}

function isNilOrEmpty(value: Value): boolean {
  return value === undefined || (value instanceof Uint8Array && value.length === 0);
}

function orderOfNumbers(left: Value, right: Value): number {
  if (typeof left === "bigint" && typeof right === "bigint") {
    if (left === right) return 0;
    return left < right ? -1 : 1;
  }
  const one = asNumber(left);
  const other = asNumber(right);
  if (one === undefined || other === undefined) return Number.NaN;
  // Infinite numbers of one sign are equal, and their difference is not zero.
  return one === other ? 0 : Math.sign(one - other);
}

function asNumber(value: Value): number | undefined {
  if (typeof value === "number") return value;
  if (value instanceof Double) return value.value;
  return typeof value === "bigint" ? Number(value) : undefined;
}

// Go compares the bytes of UTF-8, JavaScript units of UTF-16; they differ above U+FFFF only.
function orderOfTexts(left: string, right: string): number {
  if (left === right) return 0;
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

// Inside lists and maps an int is not equal to a float: the Collector compares the types too.
function isSameAt(others: readonly Value[]): (value: Value, index: number) => boolean {
  return (value, index) => equalElements(value, others[index]);
}

function equalMaps(left: ValueMap, right: ValueMap): boolean {
  if (left.size !== right.size) return false;
  for (const [key, value] of left) {
    if (!right.has(key) || !equalElements(value, right.get(key))) return false;
  }
  return true;
}

function equalElements(left: Value, right: Value): boolean {
  return left instanceof Double === right instanceof Double && equalValues(left, right);
}
