import { KeyPattern } from "../../attribute-actions/key-pattern.js";
import type { MatchConfig } from "./config.js";

/** Texts or patterns of which one must match. */
export class TextSet {
  readonly #texts: ReadonlySet<string> | undefined;
  readonly #patterns: readonly KeyPattern[];

  /** @throws PatternError when one is not in Go's syntax */
  constructor(entries: readonly string[], match: Pick<MatchConfig, "match_type" | "regexp">) {
    const isStrict = match.match_type === "strict";
    const { cacheenabled, cachemaxnumentries } = match.regexp;
    const remembered = cacheenabled ? cachemaxnumentries : 0;
    this.#texts = isStrict ? new Set(entries) : undefined;
    this.#patterns = isStrict ? [] : entries.map((entry) => new KeyPattern(entry, remembered));
  }

  matches(text: string): boolean {
    if (this.#texts !== undefined) return this.#texts.has(text);
    return this.#patterns.some((pattern) => pattern.matches(text));
  }
}
