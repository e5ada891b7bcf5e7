import { classNamed, classOfLetter, propertyNamed } from "./character-class.js";
import {
  type Assertion,
  type CharacterSet,
  PatternError,
  type PatternNode,
} from "./pattern-node.js";

/** Most times that a part may be repeated, as in RE2. */
export const PATTERN_REPEAT_MAX = 1_000;
/** How deep groups may stand inside each other. */
export const PATTERN_DEPTH_MAX = 100;

/** A pattern with what its leading flags say. */
export interface ParsedPattern {
  readonly node: PatternNode;
  readonly isCaseIgnored: boolean;
}

interface Flags {
  readonly isMultiline: boolean;
  readonly dotMatchesNewline: boolean;
}

const controls: Readonly<Record<string, number>> = {
  a: 0x07,
  f: 0x0c,
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
  v: 0x0b,
};
const assertions: Readonly<Record<string, Assertion>> = {
  A: "text-start",
  z: "text-end",
  b: "word-boundary",
  B: "no-word-boundary",
};
const quantifier = /(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/y;
const groupName = /^\?P?<([A-Za-z_]\w*)>/;

/**
 * Parses a regular expression in Go's (RE2's) syntax. Flags are supported at the very beginning,
 * such as `(?i)`, for the whole pattern.
 *
 * @throws PatternError for anything else, saying what and where
 */
export function parsePattern(pattern: string): ParsedPattern {
  const found = /^\(\?([a-zA-Z-]+)\)/.exec(pattern);
  const letters = found?.[1] ?? "";
  const other = /[^ims]/.exec(letters)?.[0];
  if (other !== undefined) throw new PatternError(`flag \`${other}\` is not supported`);
  const flags = { isMultiline: letters.includes("m"), dotMatchesNewline: letters.includes("s") };
  const parser = new PatternParser(pattern, found?.[0].length ?? 0, flags);
  return { node: parser.parse(), isCaseIgnored: letters.includes("i") };
}

class PatternParser {
  readonly #pattern: string;
  readonly #flags: Flags;
  #offset: number;
  #depth = 0;

  constructor(pattern: string, offset: number, flags: Flags) {
    this.#pattern = pattern;
    this.#offset = offset;
    this.#flags = flags;
  }

  parse(): PatternNode {
    const node = this.#choice();
    if (this.#offset < this.#pattern.length) throw this.#error("unexpected `)`");
    return node;
  }

  #choice(): PatternNode {
    const branches = [this.#sequence()];
    while (this.#takes("|")) branches.push(this.#sequence());
    return branches.length === 1 ? (branches[0] as PatternNode) : { kind: "choice", branches };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.#offset < this.#pattern.length && !this.#isAt("|") && !this.#isAt(")")) {
      if (this.#takes("\\Q")) {
        const quoted = this.#quotation();
        const last = quoted.pop();
        parts.push(...quoted);
        if (last !== undefined) parts.push(this.#repeated(last));
      } else parts.push(this.#repeated(this.#atom()));
    }
    return { kind: "sequence", parts };
  }

  #repeated(part: PatternNode): PatternNode {
    quantifier.lastIndex = this.#offset;
    const found = quantifier.exec(this.#pattern);
    if (found === null) return part;
    const [whole, symbol, least, comma, most] = found;
    const min = symbol === undefined ? Number(least) : symbol === "+" ? 1 : 0;
    let max = symbol === "?" ? 1 : Number.POSITIVE_INFINITY;
    if (symbol === undefined) {
      if (comma === undefined) max = min;
      else if (most !== "") max = Number(most);
    }
    const largest = Number.isFinite(max) ? Math.max(min, max) : min;
    if (largest > PATTERN_REPEAT_MAX || max < min) {
      throw this.#error(`repetition \`${whole}\` is not within 0 to ${PATTERN_REPEAT_MAX}`);
    }
    this.#offset += whole.length;
    if (/^[*+?]/.test(this.#pattern.slice(this.#offset))) {
      throw this.#error("a repetition of a repetition needs a group");
    }
    return { kind: "repetition", part, min, max };
  }

  #atom(): PatternNode {
    const character = this.#character();
    switch (character) {
      case "^":
        return assertion(this.#flags.isMultiline ? "line-start" : "text-start");
      case "$":
        return assertion(this.#flags.isMultiline ? "line-end" : "text-end");
      case ".":
        return setOf({
          ranges: this.#flags.dotMatchesNewline ? [0, 0x10_ffff] : [0, 9, 11, 0x10_ffff],
          properties: [],
          isNegated: false,
        });
      case "(":
        return this.#group();
      case "[":
        return setOf(this.#characterClass());
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
        throw this.#error(`nothing stands before \`${character}\``, 1);
      default:
        return single(character.codePointAt(0) ?? 0);
    }
  }

  #group(): PatternNode {
    if (++this.#depth > PATTERN_DEPTH_MAX) {
      throw this.#error(`groups are nested deeper than ${PATTERN_DEPTH_MAX}`);
    }
    if (this.#isAt("?")) {
      const name = groupName.exec(this.#pattern.slice(this.#offset))?.[0];
      if (name !== undefined) this.#offset += name.length;
      else if (!this.#takes("?:")) {
        throw this.#error(
          "only `(...)`, `(?:...)` and `(?P<name>...)` are supported, and flags such as `(?i)` at " +
            "the very beginning",
        );
      }
    }
    const node = this.#choice();
    if (!this.#takes(")")) throw this.#error("a group is not closed by `)`");
    this.#depth--;
    return node;
  }

  #escape(): PatternNode {
    const letter = this.#pattern[this.#offset] ?? "";
    const held = assertions[letter];
    if (held !== undefined) {
      this.#offset++;
      return assertion(held);
    }
    const set = this.#classEscape();
    if (set !== undefined) return setOf({ isNegated: false, ...set });
    return single(this.#escapedCodePoint());
  }

  /** `\d`, `\pL`, `\p{Greek}` and their like, after the backslash; undefined for anything else. */
  #classEscape(): { ranges: readonly number[]; properties: readonly string[] } | undefined {
    const rest = this.#pattern.slice(this.#offset);
    const ranges = classOfLetter(rest[0] ?? "");
    if (ranges !== undefined) {
      this.#offset++;
      return { ranges, properties: [] };
    }
    const found = /^([pP])(?:\{(\^?)(\w+)\}|([A-Z]))/.exec(rest);
    if (found === null) return undefined;
    const [whole, letter, caret, long, short] = found;
    const isNegated = (letter === "P") !== (caret === "^");
    const property = propertyNamed(long ?? short ?? "", isNegated);
    this.#offset += whole.length;
    return { ranges: [], properties: [property] };
  }

  #escapedCodePoint(): number {
    const rest = this.#pattern.slice(this.#offset);
    const hexadecimal = /^x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})/.exec(rest);
    if (hexadecimal !== null) {
      const code = Number.parseInt(hexadecimal[1] ?? hexadecimal[2] ?? "", 16);
      if (code > 0x10_ffff) throw this.#error(`\`\\${hexadecimal[0]}\` is no character`);
      this.#offset += hexadecimal[0].length;
      return code;
    }
    const letter = rest[0] ?? "";
    const control = controls[letter];
    if (control === undefined && !/^[!-/:-@[-`{-~]/.test(letter)) {
      const what =
        letter === "" ? "a backslash stands at the end" : `unknown escape \`\\${letter}\``;
      throw this.#error(what);
    }
    this.#offset++;
    return control ?? letter.charCodeAt(0);
  }

  #characterClass(): CharacterSet {
    const isNegated = this.#takes("^");
    const ranges: number[] = [];
    const properties: string[] = [];
    for (let isFirst = true; isFirst || !this.#isAt("]"); isFirst = false) {
      if (this.#offset >= this.#pattern.length) throw this.#error("a class is not closed by `]`");
      const named = /^\[:(\^?\w+):\]/.exec(this.#pattern.slice(this.#offset));
      if (named !== null) {
        this.#offset += named[0].length;
        ranges.push(...classNamed(named[1] ?? ""));
        continue;
      }
      const first = this.#classMember(ranges, properties);
      if (first === undefined) continue;
      const isRange = this.#isAt("-") && this.#pattern[this.#offset + 1] !== "]";
      if (isRange) this.#offset++;
      const last = isRange ? this.#classMember(ranges, properties) : first;
      if (last === undefined || last < first)
        throw this.#error("a range of a class is not ascending");
      ranges.push(first, last);
    }
    this.#offset++;
    return { ranges, properties, isNegated };
  }

  /** One character of a class; undefined when it was a class itself, which is added. */
  #classMember(ranges: number[], properties: string[]): number | undefined {
    const character = this.#character();
    if (character !== "\\") return character.codePointAt(0);
    const set = this.#classEscape();
    if (set === undefined) return this.#escapedCodePoint();
    ranges.push(...set.ranges);
    properties.push(...set.properties);
    return undefined;
  }

  #quotation(): PatternNode[] {
    const end = this.#pattern.indexOf("\\E", this.#offset);
    const text = this.#pattern.slice(this.#offset, end < 0 ? undefined : end);
    this.#offset = end < 0 ? this.#pattern.length : end + 2;
    return Array.from(text, (character) => single(character.codePointAt(0) ?? 0));
  }

  #character(): string {
    const codePoint = this.#pattern.codePointAt(this.#offset);
    if (codePoint === undefined) throw this.#error("the pattern ends too early");
    const character = String.fromCodePoint(codePoint);
    this.#offset += character.length;
    return character;
  }

  #isAt(text: string): boolean {
    return this.#pattern.startsWith(text, this.#offset);
  }

  #takes(text: string): boolean {
    if (!this.#isAt(text)) return false;
    this.#offset += text.length;
    return true;
  }

  #error(message: string, back: number = 0): PatternError {
    return new PatternError(`${message}, at character ${this.#offset - back + 1} of the pattern`);
  }
}

function assertion(held: Assertion): PatternNode {
  return { kind: "assertion", assertion: held };
}

function setOf(set: CharacterSet): PatternNode {
  return { kind: "set", set };
}

function single(codePoint: number): PatternNode {
  return setOf({ ranges: [codePoint, codePoint], properties: [], isNegated: false });
}
