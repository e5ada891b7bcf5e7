/** Counts what is under way, and tells when nothing is. */
export class RunningTasks {
  readonly #waiting: (() => void)[] = [];
  #count = 0;

  started(): void {
    this.#count++;
  }

  ended(): void {
    this.#count--;
    if (this.#count === 0) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when nothing is under way; at once when nothing is now. */
  async whenIdle(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
