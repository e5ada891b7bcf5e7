/** How long work may go on before everything else in the process gets its turn. */
const sliceMs = 5;

/** Directories between two looks at the clock. */
const stepsPerLook = 16;

/** Cuts long synchronous work into slices, so that a walk delays nothing else by much. */
export class Slice {
  readonly #nowMs: () => number;
  readonly #endMs: number;
  #steps = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#endMs = nowMs() + sliceMs;
  }

  /** Counts one step; true when the slice is used up. */
  isUsedUp(): boolean {
    this.#steps++;
    return this.#steps % stepsPerLook === 0 && this.#nowMs() >= this.#endMs;
  }
}
