import { setImmediate } from "node:timers/promises";
import type { Clock, Timer } from "@inode-gateway/contract";

/** More timers than this within one advance mean that a timer sets itself again without end. */
const TIMERS_PER_ADVANCE_MAX = 100_000;

/** Turns of the event loop given to promises between two timers; each drains all microtasks. */
const SETTLE_TURNS = 3;

interface FakeTimer extends Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/**
 * A clock that stands still until a test moves it.
 *
 * Starts at 1,000,000 ms on the monotonic clock and at 2026-01-01T00:00:00Z. Timers fire while the
 * clock moves, in the order in which they are due, those due together in the order they were set.
 */
export class FakeClock implements Clock {
  readonly #startUnixMs = Date.UTC(2026, 0, 1) - 1_000_000;
  readonly #timers = new Set<FakeTimer>();
  #nowMs = 1_000_000;

  nowMs(): number {
    return this.#nowMs;
  }

  unixMs(): number {
    return this.#startUnixMs + this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    if (Number.isNaN(delayMs)) throw new TypeError("delay of a timer is NaN");
    const timer: FakeTimer = {
      dueMs: this.#nowMs + Math.max(0, delayMs),
      callback,
      cancel: () => {
        this.#timers.delete(timer);
      },
    };
    this.#timers.add(timer);
    return timer;
  }

  /** How many timers wait. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer is due; undefined without timers. */
  get nextTimerMs(): number | undefined {
    const next = this.#next(Number.POSITIVE_INFINITY);
    return next === undefined ? undefined : next.dueMs - this.#nowMs;
  }

  /** Moves the clock and fires what is due, without letting promises run in between. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (let fired = 0; this.#fireNext(endMs); fired++) refuseEndless(fired);
    this.#nowMs = endMs;
  }

  /** Moves the clock; promises get to run before the first timer, after each, and at the end. */
  async advanceAndSettle(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settle();
    for (let fired = 0; this.#fireNext(endMs); fired++) {
      refuseEndless(fired);
      await settle();
    }
    this.#nowMs = endMs;
  }

  #fireNext(endMs: number): boolean {
    const timer = this.#next(endMs);
    if (timer === undefined) return false;
    this.#timers.delete(timer);
    this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
    timer.callback();
    return true;
  }

  #next(endMs: number): FakeTimer | undefined {
    let next: FakeTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs <= endMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
    }
    return next;
  }
}

/** Lets every promise that can go on now go on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS; turn++) await setImmediate();
}

function refuseEndless(fired: number): void {
  if (fired < TIMERS_PER_ADVANCE_MAX) return;
  throw new Error(`more than ${TIMERS_PER_ADVANCE_MAX} timers fired in one advance`);
}
