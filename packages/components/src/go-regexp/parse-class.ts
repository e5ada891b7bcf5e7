import { escapeCharacter, type PatternText } from "./pattern-text.js";

const ASCII_CLASSES: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: "\\0-\\u{7f}",
  blank: "\\t\\u{20}",
  cntrl: "\\0-\\u{1f}\\u{7f}",
  digit: "0-9",
  graph: "\\u{21}-\\u{7e}",
  lower: "a-z",
  print: "\\u{20}-\\u{7e}",
  punct: "\\u{21}-\\u{2f}\\u{3a}-\\u{40}\\u{5b}-\\u{60}\\u{7b}-\\u{7e}",
  space: "\\t\\n\\v\\f\\r\\u{20}",
  upper: "A-Z",
  word: "0-9A-Za-z\\u{5f}",
  xdigit: "0-9A-Fa-f",
};

// In Go these know ASCII only.
const PERL_CLASSES: Readonly<Record<string, string>> = {
  d: "0-9",
  s: "\\t\\n\\f\\r\\u{20}",
  w: "0-9A-Za-z\\u{5f}",
};

const ESCAPED_CONTROLS: Readonly<Record<string, number>> = {
  a: 7,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
};

const MAX_CODE_POINT = 0x10_ffff;

/** Reads a class after its `[`. @returns the class as JavaScript writes it */
export function parseClass(text: PatternText): string {
  const start = text.position - 1;
  const isNegated = text.takeIf("^");
  let members = "";
  let isFirst = true;
  while (text.next !== "]" || isFirst) {
    if (text.isAtEnd) {
      text.rewind(start);
      return text.fail("missing closing ]");
    }
    isFirst = false;
    members += parseMember(text);
  }
  text.take();
  return `[${isNegated ? "^" : ""}${members}]`;
}

/** Reads `\d`, `\pL` and their like after the backslash; undefined when it is none. */
export function parseEscapedClass(text: PatternText): string | undefined {
  const perl = PERL_CLASSES[text.next.toLowerCase()];
  if (perl !== undefined) return text.take() in PERL_CLASSES ? `[${perl}]` : `[^${perl}]`;
  if (text.next !== "p" && text.next !== "P") return undefined;
  const start = text.position - 1;
  let isNegated = text.take() === "P";
  let name = text.take();
  if (name === "{") {
    name = text.takeUntil("}") ?? text.fail("invalid character class range", start);
  }
  if (name.startsWith("^")) {
    isNegated = !isNegated;
    name = name.slice(1);
  }
  // Go knows categories and scripts by the same short names.
  for (const property of [name, `Script=${name}`]) {
    const source = `\\${isNegated ? "P" : "p"}{${property}}`;
    if (/^\w+$/.test(name) && isPropertyOfGo(property) && isPattern(source)) return source;
  }
  return text.fail("invalid character class range", start);
}

/** Reads one escaped character after the backslash. */
export function parseEscape(text: PatternText): number {
  const start = text.position - 1;
  const letter = text.take();
  const control = ESCAPED_CONTROLS[letter];
  if (control !== undefined) return control;
  if (letter === "x") return parseHexadecimal(text, start);
  if (letter === "0" || (/[1-7]/.test(letter) && /[0-7]/.test(text.next))) {
    return Number.parseInt(letter + text.takeWhile(/[0-7]/, 2), 8);
  }
  const isPunctuation = letter !== "" && letter < "\u0080" && !/[0-9A-Za-z]/.test(letter);
  if (isPunctuation) return letter.codePointAt(0) ?? 0;
  return text.fail(letter === "" ? "trailing backslash" : "invalid escape sequence", start);
}

function parseMember(text: PatternText): string {
  if (text.takeIf("[:")) return parseAsciiClass(text);
  const start = text.position;
  if (text.takeIf("\\")) {
    const escaped = parseEscapedClass(text);
    if (escaped !== undefined) return escaped;
    text.rewind(start);
  }
  const low = parseCharacter(text);
  const dash = text.position;
  if (!text.takeIf("-") || text.next === "]" || text.isAtEnd) {
    text.rewind(dash);
    return escapeCharacter(low);
  }
  const high = parseCharacter(text);
  if (high < low) return text.fail("invalid character class range", start);
  return `${escapeCharacter(low)}-${escapeCharacter(high)}`;
}

function parseCharacter(text: PatternText): number {
  return text.takeIf("\\") ? parseEscape(text) : (text.take().codePointAt(0) ?? 0);
}

function parseAsciiClass(text: PatternText): string {
  const start = text.position - 2;
  const written = text.takeUntil(":]") ?? text.fail("invalid character class range", start);
  const isNegated = written.startsWith("^");
  const name = isNegated ? written.slice(1) : written;
  const members = Object.hasOwn(ASCII_CLASSES, name) ? ASCII_CLASSES[name] : undefined;
  if (members === undefined) return text.fail("invalid character class range", start);
  return `[${isNegated ? "^" : ""}${members}]`;
}

function parseHexadecimal(text: PatternText, start: number): number {
  const digits = text.takeIf("{") ? (text.takeUntil("}") ?? "") : text.takeWhile(/[0-9A-Fa-f]/, 2);
  const codePoint = Number.parseInt(digits, 16);
  if (!/^(?:[0-9A-Fa-f]{2}|[0-9A-Fa-f]{1,8})$/.test(digits) || codePoint > MAX_CODE_POINT) {
    return text.fail("invalid escape sequence", start);
  }
  return codePoint;
}

// JavaScript's binary properties, such as Emoji, mean nothing to Go.
function isPropertyOfGo(property: string): boolean {
  return property.startsWith("Script=") || property.length <= 2 || property === "Any";
}

function isPattern(source: string): boolean {
  try {
    new RegExp(source, "v");
    return true;
  } catch {
    return false;
  }
}
