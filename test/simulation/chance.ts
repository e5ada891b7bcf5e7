import { seededRandom } from "@inode-gateway/testkit";

/** Everything that is left to chance in one schedule, drawn from one seed. */
export class Chance {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** Uniform in [0, 1). */
  readonly fraction = (): number => this.#random();

  /** True with this probability. */
  happens(probability: number): boolean {
    return this.#random() < probability;
  }

  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + Math.floor(this.#random() * (max - min + 1));
  }

  /** One of the elements, all alike. */
  oneOf<Element>(elements: readonly Element[]): Element {
    const element = elements[this.between(0, elements.length - 1)];
    if (element === undefined) throw new RangeError("nothing to choose from");
    return element;
  }

  /** Another source of its own, so that one actor's draws do not move another's. */
  split(): Chance {
    return new Chance(this.between(0, 0xffff_fffe));
  }
}
