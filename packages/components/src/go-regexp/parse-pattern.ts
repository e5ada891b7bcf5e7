import { parseClass, parseEscape, parseEscapedClass } from "./parse-class.js";
import { type ParsedPattern, PatternError, type PatternNode } from "./pattern-node.js";
import { escapeCharacter, PatternText } from "./pattern-text.js";

/** Longest pattern in characters: far above what a person writes. */
export const PATTERN_CHARACTERS_MAX = 4_096;

/** Most repetitions that `{n,m}` may ask for; Go's. */
const REPEAT_MAX = 1_000;

/** Deepest nesting of groups. */
const DEPTH_MAX = 200;

interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
  readonly U: boolean;
}

type FlagName = keyof Flags;

const noFlags: Flags = { i: false, m: false, s: false, U: false };

/**
 * Parses a pattern in the syntax of Go's `regexp` package, which is RE2's.
 *
 * @throws PatternError when it is not of that syntax, or above a limit
 */
export function parsePattern(pattern: string): ParsedPattern {
  return new Parser(pattern).parse();
}

class Parser {
  readonly #text: PatternText;
  readonly #groupNames: string[] = [];
  #flags = noFlags;
  #depth = 0;

  constructor(pattern: string) {
    this.#text = new PatternText(pattern);
    if (pattern.length > PATTERN_CHARACTERS_MAX) {
      throw new PatternError(
        `has ${pattern.length} characters, at most ${PATTERN_CHARACTERS_MAX} are taken`,
      );
    }
  }

  parse(): ParsedPattern {
    const root = this.#choice();
    if (!this.#text.isAtEnd) this.#text.fail("unexpected )");
    return { root, groupNames: this.#groupNames };
  }

  #choice(): PatternNode {
    if (++this.#depth > DEPTH_MAX) throw new PatternError(`nests deeper than ${DEPTH_MAX} groups`);
    const branches = [this.#sequence()];
    while (this.#text.takeIf("|")) branches.push(this.#sequence());
    this.#depth--;
    return branches.length === 1 ? (branches[0] as PatternNode) : { kind: "choice", branches };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (!this.#text.isAtEnd && this.#text.next !== "|" && this.#text.next !== ")") {
      if (this.#text.takeIf("\\Q")) {
        const literal = this.#text.takeUntil("\\E") ?? this.#text.takeWhile(/^/, Infinity);
        for (const character of literal) parts.push(this.#character(character.codePointAt(0) ?? 0));
        continue;
      }
      const start = this.#text.position;
      const atom = this.#atom();
      if (atom !== undefined) parts.push(this.#repeated(atom, start));
    }
    return { kind: "sequence", parts };
  }

  /** Undefined for what only sets flags. */
  #atom(): PatternNode | undefined {
    const start = this.#text.position;
    const character = this.#text.take();
    const { m, s } = this.#flags;
    switch (character) {
      case "(":
        return this.#group(start);
      case "[":
        return this.#set(parseClass(this.#text));
      case ".":
        return this.#set(s ? "[\\0-\\u{10ffff}]" : "[^\\n]");
      case "^":
        return { kind: "position", at: m ? "line_start" : "text_start" };
      case "$":
        return { kind: "position", at: m ? "line_end" : "text_end" };
      case "*":
      case "+":
      case "?":
        return this.#text.fail("missing argument to repetition operator", start);
      case "\\":
        return this.#escaped();
      default:
        return this.#character(character.codePointAt(0) ?? 0);
    }
  }

  #escaped(): PatternNode {
    if (this.#text.takeIf("A")) return { kind: "position", at: "text_start" };
    if (this.#text.takeIf("z")) return { kind: "position", at: "text_end" };
    if (this.#text.takeIf("b")) return { kind: "position", at: "boundary" };
    if (this.#text.takeIf("B")) return { kind: "position", at: "no_boundary" };
    const known = parseEscapedClass(this.#text);
    return known === undefined ? this.#character(parseEscape(this.#text)) : this.#set(known);
  }

  #group(start: number): PatternNode | undefined {
    const outer = this.#flags;
    let index: number | undefined;
    if (!this.#text.takeIf("?")) index = this.#groupNames.push("");
    else if (this.#text.takeIf("P<") || this.#text.takeIf("<")) {
      const name = this.#text.takeUntil(">");
      if (name === undefined || !/^\w+$/.test(name)) {
        return this.#text.fail("invalid named capture", start);
      }
      index = this.#groupNames.push(name);
    } else if (this.#setFlags(start)) return undefined;
    const body = this.#choice();
    if (!this.#text.takeIf(")")) {
      this.#text.rewind(start);
      this.#text.fail("missing closing )");
    }
    this.#flags = outer;
    return index === undefined ? body : { kind: "capture", index, body };
  }

  /** Reads `i-s)` or `i-s:`; true when the group is over, so that the flags hold on behind it. */
  #setFlags(start: number): boolean {
    const flags: { -readonly [Name in FlagName]: boolean } = { ...this.#flags };
    let value = true;
    for (;;) {
      const letter = this.#text.take();
      if (letter === "-" && value) value = false;
      else if (letter in noFlags) flags[letter as FlagName] = value;
      else if (letter === ":" || letter === ")") {
        this.#flags = flags;
        return letter === ")";
      } else this.#text.fail("invalid or unsupported Perl syntax", start);
    }
  }

  #repeated(atom: PatternNode, start: number): PatternNode {
    const range = this.#repetition();
    if (range === undefined) return atom;
    const [min, max] = range;
    const isLazy = this.#text.takeIf("?");
    const repeat: PatternNode = {
      kind: "repeat",
      body: atom,
      min,
      max,
      isGreedy: isLazy === this.#flags.U,
    };
    const behind = this.#text.position;
    if (this.#repetition() !== undefined) {
      this.#text.fail("invalid nested repetition operator", start);
    }
    this.#text.rewind(behind);
    return repeat;
  }

  #repetition(): readonly [min: number, max: number] | undefined {
    if (this.#text.takeIf("*")) return [0, Infinity];
    if (this.#text.takeIf("+")) return [1, Infinity];
    if (this.#text.takeIf("?")) return [0, 1];
    const start = this.#text.position;
    if (!this.#text.takeIf("{")) return undefined;
    const written = /^([0-9]{1,9})(,([0-9]{0,9}))?$/.exec(this.#text.takeUntil("}") ?? "");
    if (written === null) {
      // What is no repetition is a plain brace.
      this.#text.rewind(start);
      return undefined;
    }
    const min = Number(written[1]);
    const max = written[2] === undefined ? min : written[3] === "" ? Infinity : Number(written[3]);
    if (min > REPEAT_MAX || (max > REPEAT_MAX && max !== Infinity) || max < min) {
      this.#text.fail("invalid repeat count", start);
    }
    return [min, max];
  }

  #character(codePoint: number): PatternNode {
    return this.#set(escapeCharacter(codePoint));
  }

  #set(source: string): PatternNode {
    return { kind: "set", source, ignoreCase: this.#flags.i };
  }
}
