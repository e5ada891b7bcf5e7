/** A call whose message is still arriving. */
interface ReceivingCall {
  messageIsLate(limitMs: number): void;
}

/** Ends calls whose message does not arrive in time; one look at the oldest instead of a timer each. */
export class SlowMessages {
  readonly #limitMs: number | undefined;
  /** Calls by when they began, the oldest first. */
  readonly #receiving = new Map<ReceivingCall, number>();

  /** @param limitMs undefined waits for ever */
  constructor(limitMs: number | undefined) {
    this.#limitMs = limitMs;
  }

  began(call: ReceivingCall): void {
    if (this.#limitMs !== undefined) this.#receiving.set(call, performance.now());
  }

  ended(call: ReceivingCall): void {
    this.#receiving.delete(call);
  }

  /** Ends the calls that are late by now. */
  check(): void {
    const limitMs = this.#limitMs ?? Number.POSITIVE_INFINITY;
    const nowMs = performance.now();
    for (const [call, beganMs] of this.#receiving) {
      if (nowMs - beganMs < limitMs) return;
      this.#receiving.delete(call);
      call.messageIsLate(limitMs);
    }
  }
}
