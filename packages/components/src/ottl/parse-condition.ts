import type { ComparisonOperator } from "./compare.js";
import { ConditionSyntaxError } from "./condition-error.js";
import { type Token, type TokenKind, tokenize } from "./lexer.js";
import {
  type ConditionNode,
  isCondition,
  type Key,
  type PathSegment,
  type SyntaxNode,
  type ValueNode,
} from "./syntax-tree.js";
import { unquote } from "./unquote.js";
import { Double, int64 } from "./value.js";

/** How deep parentheses, function calls and lists may stand inside each other. */
export const CONDITION_DEPTH_MAX = 64;

const MAX_INT64 = 2n ** 63n - 1n;
const keywords = new Set(["and", "or", "not", "true", "false", "nil"]);

/**
 * Parses one boolean expression of the OpenTelemetry Transformation Language; docs/ottl.md describes
 * the part that is supported.
 *
 * @throws ConditionSyntaxError with the column and what stands there
 */
export function parseCondition(text: string): ConditionNode {
  return new Parser(tokenize(text)).condition();
}

/** Parses `route() where <condition>`, or `route()`, which is always true. */
export function parseRouteStatement(text: string): ConditionNode {
  return new Parser(tokenize(text)).routeStatement();
}

class Parser {
  readonly #tokens: readonly Token[];
  #index = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  condition(): ConditionNode {
    const node = this.#or();
    if (this.#token.text === "=") throw this.#unexpected("`==`");
    if (this.#token.kind !== "end") throw this.#unexpected("`and`, `or` or the end");
    return this.#asCondition(node);
  }

  routeStatement(): ConditionNode {
    const { column } = this.#token;
    if (this.#token.text !== "route") {
      throw this.#unexpected("`route()`: no other statement is supported");
    }
    this.#index++;
    this.#expect("(");
    this.#expect(")");
    if (this.#token.kind === "end") {
      return { kind: "truth", value: { kind: "literal", value: true, column }, column };
    }
    if (!this.#takesWord("where")) throw this.#unexpected("`where` or the end");
    return this.condition();
  }

  #or(): SyntaxNode {
    let left = this.#and();
    for (let { column } = this.#token; this.#takesWord("or"); { column } = this.#token) {
      const right = this.#asCondition(this.#and());
      left = { kind: "or", left: this.#asCondition(left), right, column };
    }
    return left;
  }

  #and(): SyntaxNode {
    let left = this.#not();
    for (let { column } = this.#token; this.#takesWord("and"); { column } = this.#token) {
      const right = this.#asCondition(this.#not());
      left = { kind: "and", left: this.#asCondition(left), right, column };
    }
    return left;
  }

  #not(): SyntaxNode {
    const { column } = this.#token;
    if (!this.#takesWord("not")) return this.#comparison();
    return { kind: "not", operand: this.#asCondition(this.#comparison()), column };
  }

  #comparison(): SyntaxNode {
    const left = this.#sum();
    const { kind, text, column } = this.#token;
    if (kind !== "comparison") return left;
    this.#index++;
    const operator = text as ComparisonOperator;
    const right = this.#asValue(this.#sum());
    if (this.#token.kind === "comparison") throw this.#unexpected("`and`, `or` or the end");
    return { kind: "comparison", operator, left: this.#asValue(left), right, column };
  }

  #sum(): SyntaxNode {
    let left = this.#product();
    while (this.#token.text === "+" || this.#token.text === "-") {
      const { text, column } = this.#next();
      const right = this.#asValue(this.#product());
      const operator = text as "+" | "-";
      left = { kind: "arithmetic", operator, left: this.#asValue(left), right, column };
    }
    return left;
  }

  #product(): SyntaxNode {
    let left = this.#signed();
    while (this.#token.text === "*" || this.#token.text === "/") {
      const { text, column } = this.#next();
      const right = this.#asValue(this.#signed());
      const operator = text as "*" | "/";
      left = { kind: "arithmetic", operator, left: this.#asValue(left), right, column };
    }
    return left;
  }

  #signed(): SyntaxNode {
    const { text, column } = this.#token;
    if (text !== "-" && text !== "+") return this.#primary();
    this.#index++;
    const { kind } = this.#token;
    if (kind === "int" || kind === "float") return this.#primary(text === "-");
    const operand = this.#asValue(this.#primary());
    return text === "+" ? operand : { kind: "negation", operand, column };
  }

  #primary(isNegative: boolean = false): SyntaxNode {
    const token = this.#token;
    switch (token.kind) {
      case "int":
      case "float":
        this.#index++;
        return numberLiteral(token, isNegative);
      case "string":
        this.#index++;
        return { kind: "literal", value: unquote(token), column: token.column };
      case "bytes":
        this.#index++;
        return bytesLiteral(token);
      case "upper":
        return this.#enumOrCall();
      case "lower":
        return this.#wordOrPath();
      case "comparison":
      case "symbol":
      case "end":
        if (token.text === "(") return this.#nested(() => this.#parenthesized());
        if (token.text === "[") return this.#nested(() => this.#list());
        if (token.text === "{") throw this.#unexpected("a value; maps are not supported");
        throw this.#unexpected("a value");
    }
  }

  #parenthesized(): SyntaxNode {
    this.#expect("(");
    const node = this.#or();
    this.#expect(")");
    return node;
  }

  #list(): ValueNode {
    const { column } = this.#next();
    const items = this.#valuesUntil("]");
    return { kind: "list", items, column };
  }

  #enumOrCall(): ValueNode {
    const { text: name, column } = this.#next();
    if (this.#token.text !== "(") {
      if (/[a-z]/.test(name)) throw this.#unexpected(`\`(\` after the function \`${name}\``);
      return { kind: "enum", name, column };
    }
    return this.#nested(() => {
      this.#index++;
      const values = this.#valuesUntil(")");
      return { kind: "call", name, arguments: values, keys: this.#keys(), column };
    });
  }

  #valuesUntil(closing: ")" | "]"): ValueNode[] {
    const values: ValueNode[] = [];
    if (this.#takes(closing)) return values;
    do {
      const { kind, text } = this.#token;
      if (kind === "lower" && this.#tokens[this.#index + 1]?.text === "=") {
        throw this.#unexpected(`a value: named arguments such as \`${text}=\` are not supported`);
      }
      values.push(this.#asValue(this.#or()));
    } while (this.#takes(","));
    if (!this.#takes(closing)) throw this.#unexpected(`\`,\` or \`${closing}\``);
    return values;
  }

  #wordOrPath(): SyntaxNode {
    const { text, column } = this.#token;
    if (text === "true" || text === "false") {
      this.#index++;
      return { kind: "literal", value: text === "true", column };
    }
    if (text === "nil") {
      this.#index++;
      return { kind: "literal", value: undefined, column };
    }
    if (keywords.has(text)) throw this.#unexpected("a value");
    if (this.#tokens[this.#index + 1]?.text === "(") {
      throw new ConditionSyntaxError(
        column,
        `\`${text}\` changes telemetry, which a condition cannot; functions of conditions begin ` +
          "with a capital",
      );
    }
    const segments: PathSegment[] = [];
    do {
      const name = this.#token;
      if (name.kind !== "lower") throw this.#unexpected("a name after `.`");
      this.#index++;
      segments.push({ name: name.text, keys: this.#keys(), column: name.column });
    } while (this.#takes("."));
    return { kind: "path", segments, column };
  }

  #keys(): Key[] {
    const keys: Key[] = [];
    while (this.#takes("[")) {
      const token = this.#token;
      if (token.kind === "string") keys.push({ value: unquote(token), column: token.column });
      else if (token.kind === "int") keys.push({ value: Number(token.text), column: token.column });
      else throw this.#unexpected("a string or an integer as key");
      this.#index++;
      this.#expect("]");
    }
    return keys;
  }

  #nested<Node>(parse: () => Node): Node {
    if (++this.#depth > CONDITION_DEPTH_MAX) {
      throw new ConditionSyntaxError(
        this.#token.column,
        `nested deeper than the limit of ${CONDITION_DEPTH_MAX}`,
      );
    }
    const node = parse();
    this.#depth--;
    return node;
  }

  #asCondition(node: SyntaxNode): ConditionNode {
    if (isCondition(node)) return node;
    const isBoolean = node.kind === "literal" && typeof node.value === "boolean";
    if (isBoolean || node.kind === "call")
      return { kind: "truth", value: node, column: node.column };
    throw new ConditionSyntaxError(
      node.column,
      "a value alone is no condition; compare it, such as `... == true` or `... != nil`",
    );
  }

  #asValue(node: SyntaxNode): ValueNode {
    if (!isCondition(node)) return node;
    throw new ConditionSyntaxError(node.column, "a condition stands where a value is expected");
  }

  get #token(): Token {
    return this.#tokens[this.#index] ?? { kind: "end" satisfies TokenKind, text: "", column: 1 };
  }

  #next(): Token {
    const token = this.#token;
    this.#index++;
    return token;
  }

  #takes(symbol: string): boolean {
    if (this.#token.kind !== "symbol" || this.#token.text !== symbol) return false;
    this.#index++;
    return true;
  }

  #takesWord(word: string): boolean {
    if (this.#token.kind !== "lower" || this.#token.text !== word) return false;
    this.#index++;
    return true;
  }

  #expect(symbol: string): void {
    if (!this.#takes(symbol)) throw this.#unexpected(`\`${symbol}\``);
  }

  #unexpected(expected: string): ConditionSyntaxError {
    const { kind, text, column } = this.#token;
    const found = kind === "end" ? "the end" : `\`${text}\``;
    return new ConditionSyntaxError(column, `found ${found}, expected ${expected}`);
  }
}

function numberLiteral(token: Token, isNegative: boolean): ValueNode {
  const { column, text } = token;
  if (token.kind === "float") {
    const value = Number(text);
    return { kind: "literal", value: new Double(isNegative ? -value : value), column };
  }
  const magnitude = BigInt(text);
  if (magnitude > (isNegative ? MAX_INT64 + 1n : MAX_INT64)) {
    throw new ConditionSyntaxError(column, `integer ${text} does not fit into 64 bits`);
  }
  return { kind: "literal", value: int64(isNegative ? -magnitude : magnitude), column };
}

function bytesLiteral(token: Token): ValueNode {
  const digits = token.text.slice(2);
  if (digits.length % 2 !== 0) {
    throw new ConditionSyntaxError(
      token.column,
      `bytes have ${digits.length} hexadecimal digits, must be an even number`,
    );
  }
  return { kind: "literal", value: Buffer.from(digits, "hex"), column: token.column };
}
