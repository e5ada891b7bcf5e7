import { membershipOf } from "./character-class.js";
import { type Assertion, PatternError, type PatternNode } from "./pattern-node.js";

/** Instructions of one pattern, at most; a repetition counts as often as its bounds say. */
export const PATTERN_INSTRUCTIONS_MAX = 10_000;

type Instruction =
  | { readonly kind: "match" }
  | { readonly kind: "character"; readonly isMember: (codePoint: number) => boolean }
  | { readonly kind: "assertion"; readonly assertion: Assertion }
  | { readonly kind: "jump"; to: number }
  | { readonly kind: "fork"; to: number; or: number };

/**
 * A pattern as a machine that reads a text once from front to back, in all states at the same time.
 *
 * Its time is bounded by the length of the text times the number of instructions, whatever both are;
 * a backtracking search has no such bound (docs/adr/0009-conditions.md).
 */
export class PatternProgram {
  readonly #instructions: Instruction[] = [];
  readonly #isCaseIgnored: boolean;
  readonly #seen: Uint32Array;
  #generation = 0;

  /** @throws PatternError above {@link PATTERN_INSTRUCTIONS_MAX} */
  constructor(node: PatternNode, isCaseIgnored: boolean) {
    this.#isCaseIgnored = isCaseIgnored;
    this.#compile(node);
    this.#emit({ kind: "match" });
    this.#seen = new Uint32Array(this.#instructions.length);
  }

  /** Number of instructions, the one for a match included. */
  get size(): number {
    return this.#instructions.length;
  }

  /** Whether any part of the text matches. */
  matches(text: string): boolean {
    let current: number[] = [];
    let previous = -1;
    for (let offset = 0; ; ) {
      const next = text.codePointAt(offset) ?? -1;
      // A match may begin at every character.
      this.#nextGeneration();
      const reached: number[] = [];
      for (const index of current) {
        if (this.#follow(index, previous, next, reached)) return true;
      }
      if (this.#follow(0, previous, next, reached)) return true;
      if (next < 0) return false;
      current = [];
      for (const index of reached) {
        const instruction = this.#instructions[index];
        if (instruction?.kind === "character" && instruction.isMember(next))
          current.push(index + 1);
      }
      previous = next;
      offset += next > 0xffff ? 2 : 1;
    }
  }

  /** Adds every character instruction that is reached without reading; true when a match is. */
  #follow(start: number, previous: number, next: number, reached: number[]): boolean {
    const waiting = [start];
    for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
      if (this.#seen[index] === this.#generation) continue;
      this.#seen[index] = this.#generation;
      const instruction = this.#instructions[index];
      if (instruction === undefined) continue;
      switch (instruction.kind) {
        case "match":
          return true;
        case "character":
          reached.push(index);
          break;
        case "assertion":
          if (holds(instruction.assertion, previous, next)) waiting.push(index + 1);
          break;
        case "jump":
          waiting.push(instruction.to);
          break;
        case "fork":
          waiting.push(instruction.or, instruction.to);
          break;
      }
    }
    return false;
  }

  #nextGeneration(): void {
    this.#generation++;
    if (this.#generation <= 0xffff_ffff) return;
    this.#seen.fill(0);
    this.#generation = 1;
  }

  #compile(node: PatternNode): void {
    switch (node.kind) {
      case "set": {
        const isMember = membershipOf(node.set, this.#isCaseIgnored);
        this.#emit({ kind: "character", isMember });
        break;
      }
      case "assertion":
        this.#emit({ kind: "assertion", assertion: node.assertion });
        break;
      case "sequence":
        for (const part of node.parts) this.#compile(part);
        break;
      case "choice":
        this.#compileChoice(node.branches);
        break;
      case "repetition":
        this.#compileRepetition(node.part, node.min, node.max);
        break;
    }
  }

  #compileChoice(branches: readonly PatternNode[]): void {
    const jumps: { to: number }[] = [];
    branches.forEach((branch, index) => {
      if (index === branches.length - 1) {
        this.#compile(branch);
        return;
      }
      const fork = this.#emit({ kind: "fork", to: this.#instructions.length + 1, or: 0 });
      this.#compile(branch);
      jumps.push(this.#emit({ kind: "jump", to: 0 }));
      fork.or = this.#instructions.length;
    });
    for (const jump of jumps) jump.to = this.#instructions.length;
  }

  #compileRepetition(part: PatternNode, min: number, max: number): void {
    for (let count = 0; count < min; count++) this.#compile(part);
    if (max === Number.POSITIVE_INFINITY) {
      const start = this.#instructions.length;
      const fork = this.#emit({ kind: "fork", to: start + 1, or: 0 });
      this.#compile(part);
      this.#emit({ kind: "jump", to: start });
      fork.or = this.#instructions.length;
      return;
    }
    const forks: { or: number }[] = [];
    for (let count = min; count < max; count++) {
      forks.push(this.#emit({ kind: "fork", to: this.#instructions.length + 1, or: 0 }));
      this.#compile(part);
    }
    for (const fork of forks) fork.or = this.#instructions.length;
  }

  #emit<T extends Instruction>(instruction: T): T {
    if (this.#instructions.length >= PATTERN_INSTRUCTIONS_MAX) {
      throw new PatternError(
        `the pattern needs more than ${PATTERN_INSTRUCTIONS_MAX} steps; repeat less`,
      );
    }
    this.#instructions.push(instruction);
    return instruction;
  }
}

function holds(assertion: Assertion, previous: number, next: number): boolean {
  switch (assertion) {
    case "text-start":
      return previous < 0;
    case "text-end":
      return next < 0;
    case "line-start":
      return previous < 0 || previous === 0x0a;
    case "line-end":
      return next < 0 || next === 0x0a;
    case "word-boundary":
      return isWord(previous) !== isWord(next);
    case "no-word-boundary":
      return isWord(previous) === isWord(next);
  }
}

function isWord(codePoint: number): boolean {
  return codePoint >= 0 && codePoint < 128 && /\w/.test(String.fromCharCode(codePoint));
}
