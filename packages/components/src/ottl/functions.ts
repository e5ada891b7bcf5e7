import { parseGoDouble, parseGoInteger } from "../attribute-actions/go-numbers.js";
import { GoRegExp, PatternError } from "../go-regexp/go-regexp.js";
import { equalValues } from "./compare.js";
import { ConditionSyntaxError, EvaluationError } from "./condition-error.js";
import type { ContextName } from "./path-fields.js";
import type { ValueNode } from "./syntax-tree.js";
import { Double, Identifier, int64, isList, typeName, type Value } from "./value.js";
import { textOf } from "./value-text.js";

/** A function whose value follows from its arguments. */
export interface ConditionFunction {
  readonly minArguments: number;
  /** Infinity when there is no bound. */
  readonly maxArguments: number;
  /** Contexts in which the function exists; all of them when left out. */
  readonly contexts?: readonly ContextName[];
  /**
   * Makes the function of one call, with the argument nodes at hand.
   *
   * @throws ConditionSyntaxError when an argument that must be a literal is none or is wrong
   */
  readonly prepare?: (nodes: readonly ValueNode[]) => Apply;
  readonly apply?: Apply;
}

/** Computes the value of a call. */
export type Apply = (values: readonly Value[]) => Value;

const unary = (apply: (value: Value) => Value): ConditionFunction => ({
  minArguments: 1,
  maxArguments: 1,
  apply: ([value]) => apply(value),
});

/** The functions that depend on nothing but their arguments, by name. */
export const conditionFunctions: ReadonlyMap<string, ConditionFunction> = new Map<
  string,
  ConditionFunction
>([
  ["IsMatch", { minArguments: 2, maxArguments: 2, prepare: prepareIsMatch }],
  ["IsString", unary((value) => typeof value === "string")],
  ["IsInt", unary((value) => typeof value === "number" || typeof value === "bigint")],
  ["IsDouble", unary((value) => value instanceof Double)],
  ["IsBool", unary((value) => typeof value === "boolean")],
  ["IsMap", unary((value) => value instanceof Map)],
  ["IsList", unary(isList)],
  ["HasPrefix", texts((text, part) => text.startsWith(part))],
  ["HasSuffix", texts((text, part) => text.endsWith(part))],
  ["Len", unary(lengthOf)],
  ["Concat", { minArguments: 2, maxArguments: 2, apply: concat }],
  ["ToLowerCase", unary((value) => byCharacter(wantText("ToLowerCase", value), lowerCase))],
  ["ToUpperCase", unary((value) => byCharacter(wantText("ToUpperCase", value), upperCase))],
  ["Trim", unary((value) => wantText("Trim", value).replace(/^ +| +$/g, ""))],
  ["Substring", { minArguments: 3, maxArguments: 3, apply: substring }],
  ["Split", { minArguments: 2, maxArguments: 2, apply: split }],
  ["Int", unary(toInt)],
  ["Double", unary(toDouble)],
  ["String", unary(textOf)],
  ["Bool", unary(toBool)],
  ["ContainsValue", { minArguments: 2, maxArguments: 2, apply: containsValue }],
  ["TraceID", { minArguments: 1, maxArguments: 1, prepare: prepareIdentifier("trace", 16) }],
  ["SpanID", { minArguments: 1, maxArguments: 1, prepare: prepareIdentifier("span", 8) }],
]);

function prepareIsMatch(nodes: readonly ValueNode[]): Apply {
  const pattern = nodes[1];
  if (pattern?.kind !== "literal" || typeof pattern.value !== "string") {
    throw new ConditionSyntaxError(
      pattern?.column ?? 1,
      "the pattern of `IsMatch` must be a string, not computed from telemetry",
    );
  }
  const expression = compilePattern(pattern.value, pattern.column);
  return ([value]) => {
    const text = textOf(value);
    if (text === undefined) return false;
    if (text.length <= expression.textUnitsMax) return expression.test(text);
    throw new EvaluationError(
      `text has ${text.length} characters, this pattern takes at most ${expression.textUnitsMax}`,
    );
  };
}

function compilePattern(pattern: string, column: number): GoRegExp {
  try {
    return new GoRegExp(pattern);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new ConditionSyntaxError(
      column,
      `regular expression ${JSON.stringify(pattern)} cannot be used: ${error.message}`,
    );
  }
}

function prepareIdentifier(kind: "trace" | "span", length: number) {
  return (nodes: readonly ValueNode[]): Apply => {
    const [node] = nodes;
    const given = node?.kind === "literal" ? node.value : undefined;
    const isHexadecimal = typeof given === "string" && /^(?:[0-9a-fA-F]{2})*$/.test(given);
    const bytes = isHexadecimal ? Buffer.from(given, "hex") : given;
    if (!(bytes instanceof Uint8Array) || bytes.length !== length) {
      throw new ConditionSyntaxError(
        node?.column ?? 1,
        `a ${kind} ID is ${length} bytes, written \`0x...\` or as a string of ${length * 2} ` +
          "hexadecimal digits",
      );
    }
    const identifier = new Identifier(kind, bytes);
    return () => identifier;
  };
}

function texts(apply: (text: string, part: string) => boolean): ConditionFunction {
  return {
    minArguments: 2,
    maxArguments: 2,
    apply: ([text, part]) => apply(wantText("", text), wantText("", part)),
  };
}

function wantText(name: string, value: Value): string {
  if (typeof value === "string") return value;
  const where = name === "" ? "" : ` in \`${name}\``;
  throw new EvaluationError(`expected string but got ${typeName(value)}${where}`);
}

function wantInt(value: Value): number {
  if (typeof value === "number") return value;
  throw new EvaluationError(`expected int but got ${typeName(value)}`);
}

function wantList(value: Value): readonly Value[] {
  if (isList(value)) return value;
  throw new EvaluationError(`expected list but got ${typeName(value)}`);
}

function lengthOf(value: Value): Value {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (value instanceof Uint8Array || isList(value)) return value.length;
  if (value instanceof Map) return value.size;
  throw new EvaluationError(`${typeName(value)} has no length`);
}

function concat([list, delimiter]: readonly Value[]): Value {
  const parts = wantList(list).map((value) => textOf(value) ?? "<nil>");
  return parts.join(wantText("Concat", delimiter));
}

function substring([text, start, length]: readonly Value[]): Value {
  const bytes = Buffer.from(wantText("Substring", text));
  const from = wantInt(start);
  const count = wantInt(length);
  if (from < 0 || count <= 0 || from + count > bytes.length) {
    throw new EvaluationError(
      `substring of ${count} bytes from ${from} is not within ${bytes.length} bytes`,
    );
  }
  return bytes.toString("utf8", from, from + count);
}

function split([text, delimiter]: readonly Value[]): Value {
  const whole = wantText("Split", text);
  const between = wantText("Split", delimiter);
  return between === "" ? Array.from(whole) : whole.split(between);
}

// Go maps each character to one character: no final sigma, and a sharp s stays as it is.
function byCharacter(text: string, map: (character: string) => string): string {
  return Array.from(text, map).join("");
}

function lowerCase(character: string): string {
  // The one letter whose lower case is two characters in JavaScript: a capital I with a dot.
  return character === "\u0130" ? "i" : character.toLowerCase();
}

function upperCase(character: string): string {
  const upper = character.toUpperCase();
  return upper.length > character.length ? character : upper;
}

function containsValue([list, wanted]: readonly Value[]): Value {
  return wantList(list).some((value) => equalValues(value, wanted));
}

function toInt(value: Value): Value {
  if (value === undefined || typeof value === "number" || typeof value === "bigint") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value instanceof Double) return intOfFloat(value.value);
  if (typeof value !== "string") throw new EvaluationError(`${typeName(value)} is no number`);
  const parsed = parseGoInteger(value);
  return parsed === undefined ? undefined : int64(parsed);
}

// What does not fit is the smallest integer, as Go makes it on x86-64.
function intOfFloat(value: number): Value {
  const isInRange = value >= -(2 ** 63) && value < 2 ** 63;
  return isInRange ? int64(BigInt(Math.trunc(value))) : -(2n ** 63n);
}

function toDouble(value: Value): Value {
  if (value === undefined || value instanceof Double) return value;
  if (typeof value === "number" || typeof value === "bigint") return new Double(Number(value));
  if (typeof value === "boolean") return new Double(value ? 1 : 0);
  const parsed = typeof value === "string" ? parseGoDouble(value) : undefined;
  if (parsed !== undefined) return new Double(parsed);
  throw new EvaluationError(`${typeName(value)} is no number`);
}

function toBool(value: Value): Value {
  if (typeof value === "boolean") return value;
  if (typeof value === "number" || typeof value === "bigint") return Number(value) !== 0;
  if (value instanceof Double) return value.value !== 0;
  if (value === undefined) return undefined;
  if (typeof value !== "string") throw new EvaluationError(`${typeName(value)} is no bool`);
  if (/^(?:1|t|T|true|TRUE|True)$/.test(value)) return true;
  if (/^(?:0|f|F|false|FALSE|False)$/.test(value)) return false;
  throw new EvaluationError("text is no bool");
}
