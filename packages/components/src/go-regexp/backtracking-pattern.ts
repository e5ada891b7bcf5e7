import type { PatternNode, Position } from "./pattern-node.js";

/** A pattern as JavaScript writes it, and how much its own engine may have to do with it. */
export interface BacktrackingPattern {
  readonly pattern: RegExp;
  /** Longest text in characters for which it stays within {@link STEPS_MAX}. */
  readonly textMax: number;
}

/** Steps of JavaScript's engine for one text, roughly: a few milliseconds. */
const STEPS_MAX = 1_000_000;

/** Longest text in any case. */
const TEXT_MAX = 65_536;

/** Repetitions up to this often count as constant. */
const FEW = 3;

const positions: Readonly<Record<Position, string>> = {
  text_start: "^",
  text_end: "$",
  line_start: "(?<=^|\\n)",
  line_end: "(?=\\n|$)",
  boundary: "\\b",
  no_boundary: "\\B",
};

/**
 * Translates a pattern for JavaScript's engine, which is fast and backtracks.
 *
 * Its cost is at most the text's length to the power of the repetitions beside each other, and one more
 * when the match may begin anywhere. Undefined where that bound does not hold (repetitions inside each
 * other) or where its results would differ: groups inside repetitions, case folded only in parts.
 */
export function backtrackingPattern(root: PatternNode): BacktrackingPattern | undefined {
  const shape = { repetitions: 0, folded: 0, unfolded: 0, isTranslatable: true };
  const source = print(root, shape, false);
  if (!shape.isTranslatable || (shape.folded > 0 && shape.unfolded > 0)) return undefined;
  const exponent = shape.repetitions + (isAnchored(root) ? 0 : 1);
  const textMax = Math.min(TEXT_MAX, Math.floor(STEPS_MAX ** (1 / Math.max(1, exponent))));
  return { pattern: new RegExp(source, shape.folded > 0 ? "vi" : "v"), textMax };
}

interface Shape {
  repetitions: number;
  folded: number;
  unfolded: number;
  isTranslatable: boolean;
}

function print(node: PatternNode, shape: Shape, isRepeated: boolean): string {
  switch (node.kind) {
    case "set":
      if (node.ignoreCase) shape.folded++;
      else shape.unfolded++;
      return node.source;
    case "position":
      return positions[node.at];
    case "sequence":
      return node.parts.map((part) => print(part, shape, isRepeated)).join("");
    case "choice":
      // Within a repetition, branches that overlap would be tried in every combination.
      if (isRepeated) shape.isTranslatable = false;
      return `(?:${node.branches.map((branch) => print(branch, shape, isRepeated)).join("|")})`;
    case "capture":
      if (isRepeated) shape.isTranslatable = false;
      return `(${print(node.body, shape, isRepeated)})`;
    case "repeat": {
      const isConstant = node.max <= FEW || node.min === node.max;
      if (!isConstant) shape.repetitions++;
      if (isRepeated && node.min !== node.max) shape.isTranslatable = false;
      const body = print(node.body, shape, isRepeated || node.max > 1);
      return `(?:${body})${quantifier(node.min, node.max)}${node.isGreedy ? "" : "?"}`;
    }
  }
}

function quantifier(min: number, max: number): string {
  return max === Infinity ? `{${min},}` : `{${min},${max}}`;
}

/** Whether a match can begin at the start of the text only. */
function isAnchored(node: PatternNode): boolean {
  switch (node.kind) {
    case "position":
      return node.at === "text_start";
    case "sequence":
      return node.parts[0] !== undefined && isAnchored(node.parts[0]);
    case "capture":
      return isAnchored(node.body);
    case "choice":
      return node.branches.every(isAnchored);
    case "set":
    case "repeat":
      return false;
  }
}
