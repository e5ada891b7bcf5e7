/** Below this many gaps at the front, moving what is left costs more than it saves. */
const GAPS_MIN = 1_024;

/** First in, first out, without the copying that `shift` does to a long array; its user bounds it. */
export class Fifo<T> {
  #elements: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#elements.length - this.#head;
  }

  push(element: T): void {
    this.#elements.push(element);
  }

  /** The element that {@link take} would give; undefined when there is none. */
  get first(): T | undefined {
    return this.#elements[this.#head];
  }

  /** Takes the oldest element out; undefined when there is none. */
  take(): T | undefined {
    const element = this.#elements[this.#head];
    if (element === undefined) return undefined;
    this.#elements[this.#head] = undefined;
    this.#head++;
    if (this.#head === this.#elements.length) {
      this.#elements = [];
      this.#head = 0;
    } else if (this.#head > GAPS_MIN && this.#head * 2 > this.#elements.length) {
      this.#elements = this.#elements.slice(this.#head);
      this.#head = 0;
    }
    return element;
  }
}
