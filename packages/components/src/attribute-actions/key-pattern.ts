import { GoRegExp } from "../go-regexp/go-regexp.js";

/** Texts whose result is remembered; names of attributes are few. */
const REMEMBERED_MAX = 1_024;

/** Longer texts are not remembered: 1,024 of them would be too many bytes. */
const REMEMBERED_CHARACTERS_MAX = 256;

/** A pattern for texts that come again and again, such as names of attributes: remembers its answers. */
export class KeyPattern {
  readonly #expression: GoRegExp;
  readonly #answers = new Map<string, boolean>();
  readonly #rememberedMax: number;

  /**
   * @param rememberedMax texts whose answer is remembered; 0 means {@link REMEMBERED_MAX}
   * @throws PatternError when it is not in Go's syntax
   */
  constructor(pattern: string, rememberedMax: number = 0) {
    this.#expression = new GoRegExp(pattern);
    this.#rememberedMax = rememberedMax === 0 ? REMEMBERED_MAX : rememberedMax;
  }

  /** Whether the text holds a match. */
  matches(text: string): boolean {
    const known = this.#answers.get(text);
    if (known !== undefined) return known;
    const answer = this.#expression.test(text);
    if (text.length > REMEMBERED_CHARACTERS_MAX) return answer;
    if (this.#answers.size >= this.#rememberedMax) this.#answers.clear();
    this.#answers.set(text, answer);
    return answer;
  }
}
