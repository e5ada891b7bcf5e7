import type { Clock } from "@inode-gateway/contract";
import { TIMER_MS_MAX } from "../transport/timer-duration.js";

/** Those who wait for something to change, each until a time of its own. */
export class Wakers {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves at the next {@link wakeAll}, at `untilMs`, or after the longest time a timer can wait. */
  wait(untilMs: number): Promise<void> {
    return new Promise((resolve) => {
      const remainingMs = Math.max(0, untilMs - this.#clock.nowMs());
      const timer = this.#clock.setTimer(Math.min(remainingMs, TIMER_MS_MAX), wake);
      const waiting = this.#waiting;
      waiting.add(wake);
      function wake(): void {
        timer.cancel();
        waiting.delete(wake);
        resolve();
      }
    });
  }

  /** Resolves when something is so, which is looked at with every {@link wakeAll}, or at `untilMs`. */
  async waitFor(isSo: () => boolean, untilMs: number): Promise<void> {
    while (!isSo() && this.#clock.nowMs() < untilMs) await this.wait(untilMs);
  }

  wakeAll(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
