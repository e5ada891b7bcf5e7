/**
 * A budget of bytes shared by everything that holds request bodies at the same time.
 *
 * Not a queue: who finds it exhausted is refused at once, since the sender has a queue already.
 */
export class InFlightBytes {
  readonly maxBytes: number;
  #usedBytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Whether `bytes` more would fit now, without taking them. */
  fits(bytes: number): boolean {
    return this.#usedBytes + bytes <= this.maxBytes;
  }

  /** Takes `bytes` out of the budget; false, and nothing taken, when they do not fit. */
  tryTake(bytes: number): boolean {
    if (!this.fits(bytes)) return false;
    this.#usedBytes += bytes;
    return true;
  }

  /** Gives back what `tryTake` took. */
  giveBack(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}
