import { type BacktrackingPattern, backtrackingPattern } from "./backtracking-pattern.js";
import { LinearMatcher } from "./linear-matcher.js";
import { parsePattern } from "./parse-pattern.js";

/**
 * A regular expression of Go's `regexp` package, as configurations of the Collector write them.
 *
 * The syntax is RE2's: `(?P<name>...)`, `(?i)`, `[[:alpha:]]`, `\pL`, and neither look-around nor
 * references back. Nothing a sender writes makes it slow: JavaScript's engine gets only texts so short
 * that the pattern cannot make it run away, a matcher of linear time the others. Unanchored, as in Go.
 */
export class GoRegExp {
  /** Names of the capturing groups, from group 1; empty for a group without a name. */
  readonly groupNames: readonly string[];
  readonly #linear: LinearMatcher;
  readonly #fast: BacktrackingPattern | undefined;

  /** @throws PatternError when Go would not take the pattern, or above a limit */
  constructor(pattern: string) {
    const { groupNames, root } = parsePattern(pattern);
    this.groupNames = groupNames;
    this.#linear = new LinearMatcher(root, groupNames.length);
    this.#fast = backtrackingPattern(root);
  }

  /** Whether the text holds a match. */
  test(text: string): boolean {
    if (this.#fast !== undefined && text.length <= this.#fast.textMax) {
      return this.#fast.pattern.test(text);
    }
    return this.#linear.exec(text) !== undefined;
  }

  /**
   * The leftmost match and its groups, undefined for a group without part in it; undefined without a
   * match.
   */
  exec(text: string): readonly (string | undefined)[] | undefined {
    if (this.#fast !== undefined && text.length <= this.#fast.textMax) {
      return this.#fast.pattern.exec(text) ?? undefined;
    }
    return this.#linear.exec(text);
  }
}
