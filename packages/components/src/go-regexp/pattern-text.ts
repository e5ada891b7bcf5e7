import { PatternError } from "./pattern-node.js";

/** The text of a pattern, read character by character. */
export class PatternText {
  readonly #characters: readonly string[];
  #position = 0;

  constructor(text: string) {
    this.#characters = [...text];
  }

  /** The next character; empty at the end. */
  get next(): string {
    return this.#characters[this.#position] ?? "";
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#characters.length;
  }

  /** Where the next character stands; for `rewind` and `since`. */
  get position(): number {
    return this.#position;
  }

  take(): string {
    const character = this.next;
    this.#position++;
    return character;
  }

  /** Steps over `expected` when it stands next. */
  takeIf(expected: string): boolean {
    const characters = [...expected];
    const isNext = characters.every(
      (character, index) => this.#characters[this.#position + index] === character,
    );
    if (isNext) this.#position += characters.length;
    return isNext;
  }

  /** Everything up to `end`, which is stepped over; undefined when it does not come any more. */
  takeUntil(end: string): string | undefined {
    const from = this.#position;
    for (; !this.isAtEnd; this.#position++) {
      const text = this.since(from);
      if (this.takeIf(end)) return text;
    }
    this.#position = from;
    return undefined;
  }

  /** The longest run of characters that `pattern` matches, each by itself; maybe empty. */
  takeWhile(pattern: RegExp, max: number): string {
    const from = this.#position;
    while (!this.isAtEnd && this.#position - from < max && pattern.test(this.next)) {
      this.#position++;
    }
    return this.since(from);
  }

  rewind(position: number): void {
    this.#position = position;
  }

  /** What was read since `position`. */
  since(position: number): string {
    return this.#characters.slice(position, this.#position).join("");
  }

  /** @throws PatternError always */
  fail(what: string, from: number = this.#position): never {
    const part = this.#characters.slice(from, Math.max(this.#position, from + 1)).join("");
    throw new PatternError(part === "" ? what : `${what}: \`${part}\``);
  }
}

/** A character as JavaScript's patterns write it, in a class and outside. */
export function escapeCharacter(codePoint: number): string {
  const character = String.fromCodePoint(codePoint);
  return /^[0-9A-Za-z]$/.test(character) ? character : `\\u{${codePoint.toString(16)}}`;
}
