import { ConditionSyntaxError } from "./condition-error.js";
import type { Token } from "./lexer.js";

const simple: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
  "'": "'",
};
const escapeSequence = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]))/g;

/** The text that a string token stands for; escapes are those of Go. */
export function unquote(token: Token): string {
  const inner = token.text.slice(1, -1);
  return inner.replace(escapeSequence, (whole, byte, short, long, other, offset: number) => {
    const hexadecimal: string | undefined = byte ?? short ?? long;
    const column = token.column + 1 + offset;
    if (hexadecimal !== undefined) return characterOf(Number.parseInt(hexadecimal, 16), column);
    const character = simple[String(other)];
    if (character !== undefined) return character;
    throw new ConditionSyntaxError(
      column,
      `unknown escape \`${whole}\`; a backslash for a regular expression is written \`\\\\\``,
    );
  });
}

function characterOf(codePoint: number, column: number): string {
  const isSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
  if (codePoint <= 0x10_ffff && !isSurrogate) return String.fromCodePoint(codePoint);
  throw new ConditionSyntaxError(column, `U+${codePoint.toString(16)} is no character`);
}
