import { sourceOf } from "./character-class.js";
import { parsePattern } from "./parse-pattern.js";
import type { Assertion, PatternNode } from "./pattern-node.js";
import { PatternProgram } from "./pattern-program.js";

/** UTF-16 units of a text that a pattern is tried on, at most; a longer one is an evaluation error. */
export const MATCH_SUBJECT_UNITS_MAX = 65_536;
/**
 * Steps of one match, at most: the text of a pattern of more than 128 instructions is bounded to what
 * makes no more. They take about a quarter of a second.
 */
export const MATCH_STEPS_MAX = 8_388_608;
/** Up to this many the engine's own search is used, where the pattern cannot make it slow. */
const SEARCHED_UNITS_MAX = 1_024;
/** Ways through a pattern that the engine's search may have to try at one place. */
const SEARCHED_WAYS_MAX = 16;

/**
 * A regular expression in Go's syntax: whether it matches any part of a text.
 *
 * Simple patterns on short texts are given to the JavaScript engine, everything else to a machine
 * whose time grows with the length of the text only, so that no text can hold up the process.
 */
export class RegularExpression {
  readonly #program: PatternProgram;
  readonly #search: RegExp | undefined;

  /** @throws PatternError when the pattern is not supported */
  constructor(pattern: string) {
    const { node, isCaseIgnored } = parsePattern(pattern);
    this.#program = new PatternProgram(node, isCaseIgnored);
    const { ways, unbounded } = complexityOf(node, false);
    const isSimple = ways <= SEARCHED_WAYS_MAX && unbounded <= 1;
    if (isSimple) this.#search = new RegExp(translated(node), isCaseIgnored ? "ui" : "u");
  }

  /** Longest text that the pattern takes, in UTF-16 units. */
  get unitsMax(): number {
    return Math.min(MATCH_SUBJECT_UNITS_MAX, Math.floor(MATCH_STEPS_MAX / this.#program.size));
  }

  /** @throws RangeError when the text is longer than `unitsMax` */
  matches(text: string): boolean {
    if (text.length > this.unitsMax) {
      throw new RangeError(
        `text has ${text.length} characters, this pattern takes at most ${this.unitsMax}`,
      );
    }
    if (this.#search === undefined || text.length > SEARCHED_UNITS_MAX) {
      return this.#program.matches(text);
    }
    return this.#search.test(text);
  }
}

interface Complexity {
  /** Product of all choices. */
  readonly ways: number;
  /** Repetitions without a bound. */
  readonly unbounded: number;
}

function complexityOf(node: PatternNode, isRepeated: boolean): Complexity {
  switch (node.kind) {
    case "set":
    case "assertion":
      return { ways: 1, unbounded: 0 };
    case "sequence":
      return combined(node.parts, isRepeated, 1);
    case "choice":
      return combined(
        node.branches,
        isRepeated,
        isRepeated ? Number.POSITIVE_INFINITY : node.branches.length,
      );
    case "repetition": {
      const inner = complexityOf(node.part, true);
      const isFixed = node.min === node.max;
      const isNested = isRepeated && !isFixed;
      const hasChoice = inner.ways > 1 || inner.unbounded > 0;
      const ways = isFixed || node.max === Number.POSITIVE_INFINITY ? 1 : node.max - node.min + 1;
      return {
        ways: isNested || hasChoice ? Number.POSITIVE_INFINITY : ways,
        unbounded: node.max === Number.POSITIVE_INFINITY ? 1 : 0,
      };
    }
  }
}

function combined(parts: readonly PatternNode[], isRepeated: boolean, factor: number): Complexity {
  let ways = factor;
  let unbounded = 0;
  for (const part of parts) {
    const complexity = complexityOf(part, isRepeated);
    ways *= complexity.ways;
    unbounded += complexity.unbounded;
  }
  return { ways, unbounded };
}

const assertionSources: Readonly<Record<Assertion, string>> = {
  "text-start": "^",
  "text-end": "$",
  "line-start": "(?<![^\\n])",
  "line-end": "(?![^\\n])",
  "word-boundary": "(?:(?<=[0-9A-Za-z_])(?![0-9A-Za-z_])|(?<![0-9A-Za-z_])(?=[0-9A-Za-z_]))",
  "no-word-boundary": "(?:(?<=[0-9A-Za-z_])(?=[0-9A-Za-z_])|(?<![0-9A-Za-z_])(?![0-9A-Za-z_]))",
};

/** The pattern as JavaScript writes it. */
function translated(node: PatternNode): string {
  switch (node.kind) {
    case "set":
      return sourceOf(node.set);
    case "assertion":
      return assertionSources[node.assertion];
    case "sequence":
      return node.parts.map(translated).join("");
    case "choice":
      return `(?:${node.branches.map(translated).join("|")})`;
    case "repetition": {
      const max = node.max === Number.POSITIVE_INFINITY ? "" : node.max;
      return `(?:${translated(node.part)}){${node.min},${max}}`;
    }
  }
}
