import { PatternError, type PatternNode, type Position } from "./pattern-node.js";

/** Instructions of a compiled pattern; `{n,m}` multiplies them. */
export const INSTRUCTIONS_MAX = 10_000;

/** Pairs of an instruction and a place in the text that are looked at; 32 MiB of marks. */
const STATES_MAX = 2 ** 28;

type Instruction =
  | { readonly kind: "set"; readonly matches: (character: string) => boolean }
  | { readonly kind: "position"; readonly at: Position }
  /** Goes on at `first`; when that leads nowhere, at `second`. */
  | { readonly kind: "split"; first: number; second: number }
  | { readonly kind: "jump"; to: number }
  | { readonly kind: "save"; readonly slot: number }
  | { readonly kind: "match" };

const WORD = /^[0-9A-Za-z_]$/;

/**
 * Matches a pattern in time that grows with the pattern times the text and never faster, with the
 * results of Go: the leftmost match, and of those the one that backtracking would find first.
 *
 * Remembers every pair of an instruction and a place that led nowhere, so that none is tried twice.
 */
export class LinearMatcher {
  readonly #program: Instruction[] = [];
  readonly #slots: number;

  /** @throws PatternError above {@link INSTRUCTIONS_MAX} */
  constructor(root: PatternNode, groups: number) {
    this.#slots = 2 * (groups + 1);
    this.#emit({ kind: "save", slot: 0 });
    this.#compile(root);
    this.#emit({ kind: "save", slot: 1 });
    this.#emit({ kind: "match" });
  }

  /**
   * The match and its groups, undefined for a group without part in it; undefined without a match.
   *
   * A text too long for the bound on memory matches nothing: 26,000 characters for the largest program.
   */
  exec(text: string): (string | undefined)[] | undefined {
    const characters = [...text];
    const states = this.#program.length * (characters.length + 1);
    if (states > STATES_MAX) return undefined;
    const visited = new Uint8Array(Math.ceil(states / 8));
    for (let start = 0; start <= characters.length; start++) {
      const slots = this.#matchAt(characters, start, visited);
      if (slots === undefined) continue;
      const groups: (string | undefined)[] = [];
      for (let slot = 0; slot < this.#slots; slot += 2) {
        const from = slots[slot] ?? -1;
        const to = slots[slot + 1] ?? -1;
        groups.push(from < 0 || to < 0 ? undefined : characters.slice(from, to).join(""));
      }
      return groups;
    }
    return undefined;
  }

  #matchAt(
    characters: readonly string[],
    start: number,
    visited: Uint8Array,
  ): readonly number[] | undefined {
    const slots: number[] = Array.from({ length: this.#slots }, () => -1);
    // Instruction and place to try next; an instruction below 0 restores the slot ~instruction.
    const stack: number[] = [0, start];
    while (stack.length > 0) {
      let place = stack.pop() ?? 0;
      let at = stack.pop() ?? 0;
      if (at < 0) {
        slots[~at] = place;
        continue;
      }
      for (;;) {
        const state = at * (characters.length + 1) + place;
        const bit = 1 << (state & 7);
        if (((visited[state >>> 3] ?? 0) & bit) !== 0) break;
        visited[state >>> 3] = (visited[state >>> 3] ?? 0) | bit;
        const instruction = this.#program[at];
        if (instruction === undefined) break;
        if (instruction.kind === "match") return slots;
        if (instruction.kind === "jump") at = instruction.to;
        else if (instruction.kind === "split") {
          stack.push(instruction.second, place);
          at = instruction.first;
        } else if (instruction.kind === "save") {
          stack.push(~instruction.slot, slots[instruction.slot] ?? -1);
          slots[instruction.slot] = place;
          at++;
        } else if (instruction.kind === "position") {
          if (!isAt(instruction.at, characters, place)) break;
          at++;
        } else {
          const character = characters[place];
          if (character === undefined || !instruction.matches(character)) break;
          place++;
          at++;
        }
      }
    }
    return undefined;
  }

  #emit(instruction: Instruction): number {
    if (this.#program.length >= INSTRUCTIONS_MAX) {
      throw new PatternError(`needs more than ${INSTRUCTIONS_MAX} instructions, ask for less`);
    }
    return this.#program.push(instruction) - 1;
  }

  #compile(node: PatternNode): void {
    switch (node.kind) {
      case "set":
        this.#emit({ kind: "set", matches: matcherOf(node.source, node.ignoreCase) });
        break;
      case "position":
        this.#emit({ kind: "position", at: node.at });
        break;
      case "sequence":
        for (const part of node.parts) this.#compile(part);
        break;
      case "choice":
        this.#compileChoice(node.branches);
        break;
      case "capture":
        this.#emit({ kind: "save", slot: 2 * node.index });
        this.#compile(node.body);
        this.#emit({ kind: "save", slot: 2 * node.index + 1 });
        break;
      case "repeat":
        this.#compileRepeat(node);
        break;
    }
  }

  #compileChoice(branches: readonly PatternNode[]): void {
    const jumps: { to: number }[] = [];
    for (const [index, branch] of branches.entries()) {
      if (index === branches.length - 1) {
        this.#compile(branch);
        break;
      }
      const split = { kind: "split" as const, first: this.#program.length + 1, second: 0 };
      this.#emit(split);
      this.#compile(branch);
      const jump = { kind: "jump" as const, to: 0 };
      this.#emit(jump);
      jumps.push(jump);
      split.second = this.#program.length;
    }
    for (const jump of jumps) jump.to = this.#program.length;
  }

  #compileRepeat(node: PatternNode & { readonly kind: "repeat" }): void {
    if (node.max === Infinity) {
      this.#compileUnbounded(node);
      return;
    }
    for (let count = 0; count < node.min; count++) this.#compile(node.body);
    const splits = [];
    for (let count = node.min; count < node.max; count++) {
      splits.push(this.#emitSplit());
      this.#compile(node.body);
    }
    for (const split of splits) split.endAt(this.#program.length, node.isGreedy);
  }

  // One time or more, and that maybe not at all: so that a body that can be empty is entered, as in Go.
  #compileUnbounded(node: PatternNode & { readonly kind: "repeat" }): void {
    const skip = node.min === 0 ? this.#emitSplit() : undefined;
    for (let count = 1; count < node.min; count++) this.#compile(node.body);
    const start = this.#program.length;
    this.#compile(node.body);
    const end = this.#program.length + 1;
    this.#emit({
      kind: "split",
      first: node.isGreedy ? start : end,
      second: node.isGreedy ? end : start,
    });
    skip?.endAt(end, node.isGreedy);
  }

  #emitSplit(): { endAt(end: number, isGreedy: boolean): void } {
    const split = { kind: "split" as const, first: 0, second: 0 };
    const at = this.#emit(split);
    return {
      endAt(end, isGreedy) {
        split.first = isGreedy ? at + 1 : end;
        split.second = isGreedy ? end : at + 1;
      },
    };
  }
}

function matcherOf(source: string, ignoreCase: boolean): (character: string) => boolean {
  if (/^[0-9A-Za-z]$/.test(source) && !ignoreCase) return (character) => character === source;
  const pattern = new RegExp(`^${source}$`, ignoreCase ? "vi" : "v");
  return (character) => pattern.test(character);
}

function isAt(position: Position, characters: readonly string[], place: number): boolean {
  switch (position) {
    case "text_start":
      return place === 0;
    case "text_end":
      return place === characters.length;
    case "line_start":
      return place === 0 || characters[place - 1] === "\n";
    case "line_end":
      return place === characters.length || characters[place] === "\n";
    case "boundary":
      return isBoundary(characters, place);
    case "no_boundary":
      return !isBoundary(characters, place);
  }
}

function isBoundary(characters: readonly string[], place: number): boolean {
  const isWord = (at: number) => WORD.test(characters[at] ?? "");
  return isWord(place - 1) !== isWord(place);
}
