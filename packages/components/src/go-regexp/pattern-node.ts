/** A place in the text that takes no character. */
export type Position =
  | "text_start"
  | "text_end"
  | "line_start"
  | "line_end"
  | "boundary"
  | "no_boundary";

/** A parsed pattern. */
export type PatternNode =
  /** One character out of a set: `source` is a class or a character as JavaScript writes it. */
  | { readonly kind: "set"; readonly source: string; readonly ignoreCase: boolean }
  | { readonly kind: "position"; readonly at: Position }
  | { readonly kind: "sequence"; readonly parts: readonly PatternNode[] }
  | { readonly kind: "choice"; readonly branches: readonly PatternNode[] }
  | {
      readonly kind: "repeat";
      readonly body: PatternNode;
      readonly min: number;
      /** `Infinity` when there is no bound. */
      readonly max: number;
      readonly isGreedy: boolean;
    }
  | { readonly kind: "capture"; readonly index: number; readonly body: PatternNode };

/** A pattern with its capturing groups. */
export interface ParsedPattern {
  readonly root: PatternNode;
  /** Names of the groups, from group 1; empty for a group without a name. */
  readonly groupNames: readonly string[];
}

/** A pattern is not of the syntax that Go's `regexp` package takes; the message quotes the part. */
export class PatternError extends Error {
  override readonly name = "PatternError";
}
