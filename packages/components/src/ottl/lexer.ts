import { ConditionSyntaxError } from "./condition-error.js";

/** Characters of one condition, at most: far above any that a person writes. */
export const CONDITION_CHARACTERS_MAX = 16_384;

/** The kinds of tokens; `end` stands behind the last one. */
export type TokenKind =
  | "bytes"
  | "float"
  | "int"
  | "string"
  | "comparison"
  | "symbol"
  | "upper"
  | "lower"
  | "end";

/** One token of a condition. */
export interface Token {
  readonly kind: TokenKind;
  /** As it was written. */
  readonly text: string;
  /** Of its first character, from 1. */
  readonly column: number;
}

// Tried in this order, each at the current place.
const rules: readonly (readonly [TokenKind, RegExp])[] = [
  ["bytes", /0x[0-9a-fA-F]+/y],
  ["float", /\d*\.\d+(?:[eE][-+]?\d+)?/y],
  ["int", /\d+/y],
  ["string", /"(?:\\[\s\S]|[^\\"])*"/y],
  ["comparison", /==|!=|>=|<=|>|</y],
  ["symbol", /[-+*/=(){}:,.[\]]/y],
  ["upper", /[A-Z][A-Za-z0-9_]*/y],
  ["lower", /[a-z][a-z0-9_]*/y],
];
const whitespace = /\s*/y;

/**
 * Cuts a condition into tokens.
 *
 * @throws ConditionSyntaxError at the first character that begins none, or above
 *   {@link CONDITION_CHARACTERS_MAX}
 */
export function tokenize(text: string): Token[] {
  if (text.length > CONDITION_CHARACTERS_MAX) {
    throw new ConditionSyntaxError(
      CONDITION_CHARACTERS_MAX + 1,
      `condition has ${text.length} characters, the limit is ${CONDITION_CHARACTERS_MAX}`,
    );
  }
  const tokens: Token[] = [];
  let offset = skipWhitespace(text, 0);
  while (offset < text.length) {
    const token = tokenAt(text, offset);
    tokens.push(token);
    offset = skipWhitespace(text, offset + token.text.length);
  }
  tokens.push({ kind: "end", text: "", column: text.length + 1 });
  return tokens;
}

function tokenAt(text: string, offset: number): Token {
  for (const [kind, rule] of rules) {
    rule.lastIndex = offset;
    const found = rule.exec(text)?.[0];
    if (found !== undefined) return { kind, text: found, column: offset + 1 };
  }
  const character = String.fromCodePoint(text.codePointAt(offset) ?? 0);
  throw new ConditionSyntaxError(offset + 1, explainCharacter(character));
}

function explainCharacter(character: string): string {
  if (character === '"') return 'string has no closing `"`';
  const advice: Readonly<Record<string, string>> = {
    "'": 'strings stand in double quotes (`"`)',
    "&": "conditions are joined by `and`",
    "|": "conditions are joined by `or`",
    "!": "a condition is negated by `not`, and `!=` compares",
  };
  const more = advice[character];
  return `unexpected character ${JSON.stringify(character)}${more === undefined ? "" : `; ${more}`}`;
}

function skipWhitespace(text: string, offset: number): number {
  whitespace.lastIndex = offset;
  return offset + (whitespace.exec(text)?.[0].length ?? 0);
}
