import { nearest } from "@inode-gateway/config";
import { type ComparisonOperator, compareValues, equalValues } from "./compare.js";
import {
  CHILD_LEVEL,
  CONSTANT,
  type CompiledValue,
  compilePath,
  ITEM_LEVEL,
  indexed,
  RESOURCE_LEVEL,
} from "./compile-path.js";
import { ConditionSyntaxError, EvaluationError } from "./condition-error.js";
import { enumValues } from "./enums.js";
import { conditionFunctions } from "./functions.js";
import { parseCondition, parseRouteStatement } from "./parse-condition.js";
import type { ContextName } from "./path-fields.js";
import type { CallNode, ConditionNode, ValueNode } from "./syntax-tree.js";
import { TelemetryCursor } from "./telemetry-cursor.js";
import { compileTelemetryFunction, telemetryFunctions } from "./telemetry-functions.js";
import { Double, int64, typeName, type Value } from "./value.js";

/** A condition that can be asked at any place of a request. */
export interface Condition {
  /** As it was written. */
  readonly text: string;
  /** @throws EvaluationError when the condition has no answer there */
  readonly holds: (cursor: TelemetryCursor) => boolean;
}

/**
 * Compiles a condition as seen from a context.
 *
 * What depends on the Resource, the scope or, for span events and data points, the item around them
 * alone is computed once for each of those. A compiled condition must be asked with one cursor only.
 *
 * @throws ConditionSyntaxError with the column, when it is not in the supported part of the language
 */
export function compileCondition(text: string, context: ContextName): Condition {
  return { text, holds: new Compiler(context).condition(parseCondition(text)).holds };
}

/** Compiles `route() where ...` as seen from a context. */
export function compileRouteStatement(text: string, context: ContextName): Condition {
  return { text, holds: new Compiler(context).condition(parseRouteStatement(text)).holds };
}

interface CompiledCondition {
  readonly level: number;
  readonly holds: (cursor: TelemetryCursor) => boolean;
}

class Compiler {
  readonly #context: ContextName;

  constructor(context: ContextName) {
    this.#context = context;
  }

  condition(node: ConditionNode): CompiledCondition {
    return this.#kept(this.#plainCondition(node));
  }

  #plainCondition(node: ConditionNode): CompiledCondition {
    switch (node.kind) {
      case "and":
      case "or": {
        const left = this.condition(node.left);
        const right = this.condition(node.right);
        const level = Math.max(left.level, right.level);
        if (node.kind === "and") {
          return { level, holds: (cursor) => left.holds(cursor) && right.holds(cursor) };
        }
        return { level, holds: (cursor) => left.holds(cursor) || right.holds(cursor) };
      }
      case "not": {
        const { level, holds } = this.condition(node.operand);
        return { level, holds: (cursor) => !holds(cursor) };
      }
      case "comparison":
        return this.#comparison(node.operator, node.left, node.right);
      case "truth": {
        const { level, get } = this.#value(node.value);
        return { level, holds: (cursor) => wantBool(get(cursor)) };
      }
    }
  }

  #comparison(
    operator: ComparisonOperator,
    leftNode: ValueNode,
    rightNode: ValueNode,
  ): CompiledCondition {
    const left = this.#value(leftNode);
    const right = this.#value(rightNode);
    const level = Math.max(left.level, right.level);
    const isEqual = equalityWithText(left, rightNode) ?? equalityWithText(right, leftNode);
    if (isEqual !== undefined && operator === "==") return { level, holds: isEqual };
    if (isEqual !== undefined && operator === "!=") {
      return { level, holds: (cursor) => !isEqual(cursor) };
    }
    if (operator === "==") {
      return { level, holds: (cursor) => equalValues(left.get(cursor), right.get(cursor)) };
    }
    if (operator === "!=") {
      return { level, holds: (cursor) => !equalValues(left.get(cursor), right.get(cursor)) };
    }
    return {
      level,
      holds: (cursor) => compareValues(left.get(cursor), operator, right.get(cursor)),
    };
  }

  #value(node: ValueNode): CompiledValue {
    switch (node.kind) {
      case "literal": {
        const { value } = node;
        return { level: CONSTANT, get: () => value };
      }
      case "path":
        return compilePath(node.segments, this.#context);
      case "enum": {
        const number = enumNamed(node.name, node.column, this.#context);
        return { level: CONSTANT, get: () => number };
      }
      case "call":
        return this.#call(node);
      case "negation": {
        const { level, get } = this.#value(node.operand);
        return { level, get: (cursor) => negated(get(cursor)) };
      }
      case "list": {
        const items = node.items.map((item) => this.#value(item));
        return { level: levelOf(items), get: (cursor) => items.map(({ get }) => get(cursor)) };
      }
      case "arithmetic": {
        const { operator } = node;
        const left = this.#value(node.left);
        const right = this.#value(node.right);
        return {
          level: Math.max(left.level, right.level),
          get: (cursor) => computed(left.get(cursor), operator, right.get(cursor)),
        };
      }
    }
  }

  #call(node: CallNode): CompiledValue {
    const compiled = this.#unindexedCall(node);
    const { keys } = node;
    if (keys.length === 0) return compiled;
    return { level: compiled.level, get: (cursor) => indexed(compiled.get(cursor), keys) };
  }

  #unindexedCall(node: CallNode): CompiledValue {
    const own = telemetryFunctions.get(node.name);
    const definition = own ?? conditionFunctions.get(node.name);
    if (definition === undefined) throw unknownFunction(node);
    checkArgumentCount(node, definition.minArguments, definition.maxArguments);
    if (definition.contexts !== undefined && !definition.contexts.includes(this.#context)) {
      throw new ConditionSyntaxError(
        node.column,
        `\`${node.name}\` exists in context \`${definition.contexts.join("`, `")}\` only`,
      );
    }
    const values = node.arguments.map((argument) => this.#value(argument));
    if (own !== undefined) {
      checkLiteralTexts(node);
      return compileTelemetryFunction(own, values);
    }
    const plain = conditionFunctions.get(node.name);
    const apply = plain?.prepare?.(node.arguments) ?? plain?.apply;
    if (apply === undefined) throw unknownFunction(node);
    const level = levelOf(values);
    const get = (cursor: TelemetryCursor) => apply(values.map((value) => value.get(cursor)));
    return level === CONSTANT ? constantCall(node, get) : { level, get };
  }

  /** Keeps the answer of a condition for as long as what it depends on stays the same. */
  #kept(compiled: CompiledCondition): CompiledCondition {
    const { level, holds } = compiled;
    const deepest = depthOf(this.#context);
    if (level >= deepest) return compiled;
    let keptFor = -1;
    let kept = false;
    return {
      level,
      holds: (cursor) => {
        const serial = serialAt(cursor, level);
        if (serial !== keptFor) {
          keptFor = -1;
          kept = holds(cursor);
          keptFor = serial;
        }
        return kept;
      },
    };
  }
}

/** The comparison of a value on the wire with a literal text; undefined when it is something else. */
function equalityWithText(
  value: CompiledValue,
  other: ValueNode,
): ((cursor: TelemetryCursor) => boolean) | undefined {
  if (other.kind !== "literal" || typeof other.value !== "string") return undefined;
  return value.equalsText?.(other.value);
}

/** The level of a context's own message. */
function depthOf(context: ContextName): number {
  if (context === "resource") return RESOURCE_LEVEL;
  if (context === "scope") return RESOURCE_LEVEL + 1;
  return context === "spanevent" || context === "datapoint" ? CHILD_LEVEL : ITEM_LEVEL;
}

function serialAt(cursor: TelemetryCursor, level: number): number {
  if (level === CONSTANT) return 0;
  if (level === RESOURCE_LEVEL) return cursor.resourceItems.serial;
  return level === ITEM_LEVEL ? cursor.item.serial : cursor.scopeItems.serial;
}

function levelOf(values: readonly CompiledValue[]): number {
  return values.reduce((deepest, { level }) => Math.max(deepest, level), CONSTANT);
}

function enumNamed(name: string, column: number, context: ContextName): number {
  const values = enumValues[context];
  const number = values.get(name);
  if (number !== undefined) return number;
  const meant = nearest(name, [...values.keys()]);
  const suggestion = meant === undefined ? "" : `, did you mean \`${meant}\`?`;
  throw new ConditionSyntaxError(
    column,
    `unknown name \`${name}\` in context \`${context}\`${suggestion}`,
  );
}

function unknownFunction({ name, column }: CallNode): ConditionSyntaxError {
  const names = [...conditionFunctions.keys(), ...telemetryFunctions.keys()];
  const meant = nearest(name, names);
  const suggestion =
    meant === undefined ? `supported are ${names.join(", ")}` : `did you mean \`${meant}\`?`;
  return new ConditionSyntaxError(column, `unknown function \`${name}\`, ${suggestion}`);
}

function checkArgumentCount(node: CallNode, min: number, max: number): void {
  const count = node.arguments.length;
  if (count >= min && count <= max) return;
  throw new ConditionSyntaxError(
    node.column,
    `\`${node.name}\` takes ${min === max ? min : `${min} to ${max}`} arguments, found ${count}`,
  );
}

// Looked up in the telemetry itself, by keys that must be known beforehand, as in the Collector.
function checkLiteralTexts({ arguments: nodes, name }: CallNode): void {
  for (const node of nodes) {
    if (node.kind === "literal" && typeof node.value === "string") continue;
    throw new ConditionSyntaxError(node.column, `\`${name}\` takes strings, written out`);
  }
}

/** A call of nothing but literals, computed once. */
function constantCall({ column }: CallNode, get: (cursor: TelemetryCursor) => Value) {
  try {
    const value = get(new TelemetryCursor());
    return { level: CONSTANT, get: () => value };
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    throw new ConditionSyntaxError(column, error.message);
  }
}

function wantBool(value: Value): boolean {
  if (typeof value === "boolean") return value;
  throw new EvaluationError(`expected bool but got ${typeName(value)}`);
}

function negated(value: Value): Value {
  if (value instanceof Double) return new Double(-value.value);
  if (typeof value === "number" || typeof value === "bigint") return int64(-BigInt(value));
  throw new EvaluationError(`${typeName(value)} cannot be negated`);
}

function computed(left: Value, operator: "+" | "-" | "*" | "/", right: Value): Value {
  if (isInt(left) && isInt(right)) return computedInts(BigInt(left), operator, BigInt(right));
  const one = numberOf(left);
  const other = numberOf(right);
  switch (operator) {
    case "+":
      return new Double(one + other);
    case "-":
      return new Double(one - other);
    case "*":
      return new Double(one * other);
    case "/":
      if (other === 0) throw new EvaluationError("division by zero");
      return new Double(one / other);
  }
}

// 64 bits that wrap around, and a quotient without its fraction, as in Go.
function computedInts(left: bigint, operator: "+" | "-" | "*" | "/", right: bigint): Value {
  switch (operator) {
    case "+":
      return int64(left + right);
    case "-":
      return int64(left - right);
    case "*":
      return int64(left * right);
    case "/":
      if (right === 0n) throw new EvaluationError("division by zero");
      return int64(left / right);
  }
}

function isInt(value: Value): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function numberOf(value: Value): number {
  if (value instanceof Double) return value.value;
  if (isInt(value)) return Number(value);
  throw new EvaluationError(`${typeName(value)} is no number`);
}
