/** A set of characters: code points in ranges, or Unicode properties, maybe all others instead. */
export interface CharacterSet {
  /** First and last code point of each range, one after another. */
  readonly ranges: readonly number[];
  /** Unicode properties as JavaScript writes them, such as `\p{L}` or `\P{Greek}`. */
  readonly properties: readonly string[];
  readonly isNegated: boolean;
}

/** What must hold between two characters. */
export type Assertion =
  | "text-start"
  | "text-end"
  | "line-start"
  | "line-end"
  | "word-boundary"
  | "no-word-boundary";

/** A parsed regular expression. Whether a repetition is greedy makes no difference to a match. */
export type PatternNode =
  | { readonly kind: "set"; readonly set: CharacterSet }
  | { readonly kind: "assertion"; readonly assertion: Assertion }
  | { readonly kind: "sequence"; readonly parts: readonly PatternNode[] }
  | { readonly kind: "choice"; readonly branches: readonly PatternNode[] }
  | {
      readonly kind: "repetition";
      readonly part: PatternNode;
      readonly min: number;
      /** Infinity when there is no bound. */
      readonly max: number;
    };

/** A pattern that is not RE2, or nothing that we support; the message says where. */
export class PatternError extends Error {
  override readonly name = "PatternError";
}
