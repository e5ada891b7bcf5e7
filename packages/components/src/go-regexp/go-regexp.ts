import { RE2JS, RE2JSException } from "re2js";

/** Characters of a pattern; one that a person wrote has some dozens. */
export const PATTERN_CHARACTERS_MAX = 4_096;
/** Instructions a pattern may need, such as `(?:abc){1000}` does: each is tried on each character. */
export const PATTERN_INSTRUCTIONS_MAX = 10_000;
/** Longest text that any pattern is tried on, in UTF-16 units. */
export const TEXT_UNITS_MAX = 65_536;
/**
 * Instructions times UTF-16 units of one match: a pattern of more than 128 instructions takes shorter texts
 * only. As many take about a quarter of a second in the worst case.
 */
export const MATCH_STEPS_MAX = 8_388_608;

/** A pattern that cannot be used, for its author. */
export class PatternError extends Error {
  override readonly name = "PatternError";
}

/**
 * A regular expression of Go's `regexp` package, as configurations of the Collector write them.
 *
 * The syntax is RE2's: `(?P<name>...)`, `(?i)`, `[[:alpha:]]`, `\pL`, and neither look-around nor
 * references back. Its time grows with the length of the text only, so that nothing a sender writes
 * can hold up the process. Unanchored, as in Go. A text above `textUnitsMax` matches nothing.
 */
export class GoRegExp {
  /** Names of the capturing groups, from group 1; empty for a group without a name. */
  readonly groupNames: readonly string[];
  /** Longest text that the pattern is tried on, in UTF-16 units. */
  readonly textUnitsMax: number;
  readonly #pattern: RE2JS;

  /** @throws PatternError when Go would not take the pattern, or above a limit */
  constructor(pattern: string) {
    if (pattern.length > PATTERN_CHARACTERS_MAX) {
      throw new PatternError(
        `has ${pattern.length} characters, at most ${PATTERN_CHARACTERS_MAX} are taken`,
      );
    }
    this.#pattern = compiled(pattern);
    const instructions = this.#pattern.programSize();
    if (instructions > PATTERN_INSTRUCTIONS_MAX) {
      throw new PatternError(
        `needs ${instructions} instructions, at most ${PATTERN_INSTRUCTIONS_MAX} are taken`,
      );
    }
    this.textUnitsMax = Math.min(TEXT_UNITS_MAX, Math.floor(MATCH_STEPS_MAX / instructions));
    const names = Array.from({ length: this.#pattern.groupCount() }, () => "");
    for (const [name, index] of Object.entries(this.#pattern.namedGroups())) {
      names[Number(index) - 1] = name;
    }
    this.groupNames = names;
  }

  /** Whether the text holds a match. */
  test(text: string): boolean {
    return text.length <= this.textUnitsMax && this.#pattern.test(text);
  }

  /**
   * The leftmost match and its groups, undefined for a group without part in it; undefined without a
   * match.
   */
  exec(text: string): readonly (string | undefined)[] | undefined {
    if (text.length > this.textUnitsMax) return undefined;
    const matcher = this.#pattern.matcher(text);
    if (!matcher.find()) return undefined;
    const groupCount = this.#pattern.groupCount();
    return Array.from({ length: groupCount + 1 }, (_, index) => matcher.group(index) ?? undefined);
  }
}

function compiled(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw new PatternError(error.message, { cause: error });
  }
}
