import { setImmediate } from "node:timers/promises";
import type { Clock, Timer } from "@inode-gateway/contract";

/** Events of one schedule; more mean that something wakes itself without end. */
const EVENTS_MAX = 200_000;
/** Time of one schedule; a world that lasts longer has something in it that never ends. */
const WORLD_MS_MAX = 4 * 3_600_000;
const START_UNIX_MS = Date.UTC(2026, 0, 1);

interface Event {
  readonly dueMs: number;
  /** Breaks ties in the order of scheduling. */
  readonly order: number;
  readonly happen: () => void;
  isCancelled: boolean;
}

/**
 * Time of one simulated world: it stands still while anybody works and jumps to the next event when
 * everybody waits. Everything that happens in a world is an event on this clock.
 */
export class SimulatedClock implements Clock {
  /** A binary heap, earliest first. */
  readonly #events: Event[] = [];
  #nowMs = 0;
  #order = 0;
  #happened = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  unixMs(): number {
    return START_UNIX_MS + this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    if (Number.isNaN(delayMs)) throw new TypeError("delay of a timer is NaN");
    if (delayMs === Number.POSITIVE_INFINITY) return { cancel: () => undefined };
    const event: Event = {
      dueMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#order++,
      happen: callback,
      isCancelled: false,
    };
    this.#push(event);
    return {
      cancel: () => {
        event.isCancelled = true;
      },
    };
  }

  /** Resolves after `delayMs` of simulated time. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.setTimer(delayMs, resolve));
  }

  /**
   * Lets everything happen until `isDone`; false when nothing is left to happen before that, or nothing
   * but what happens for ever.
   */
  async run(isDone: () => boolean, afterEvent: () => void): Promise<boolean> {
    await setImmediate();
    while (!isDone()) {
      const event = this.#pop();
      if (event === undefined) return false;
      if (event.dueMs > WORLD_MS_MAX) return false;
      if (event.isCancelled) continue;
      if (++this.#happened > EVENTS_MAX) throw new Error(`more than ${EVENTS_MAX} events`);
      this.#nowMs = Math.max(this.#nowMs, event.dueMs);
      event.happen();
      // One turn of the real event loop drains every promise that can go on at this moment; another one
      // those that wait for a turn themselves.
      await setImmediate();
      await setImmediate();
      afterEvent();
    }
    return true;
  }

  #push(event: Event): void {
    const heap = this.#events;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(event, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#events;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      const left = heap[2 * index + 1];
      const right = heap[2 * index + 2];
      const isRight = left !== undefined && right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (child === undefined || !isBefore(child, last)) break;
      heap[index] = child;
      index = 2 * index + (isRight ? 2 : 1);
    }
    heap[index] = last;
    return first;
  }
}

/**
 * The world's clock as one process sees it. When the process dies, nothing it had set happens any
 * more: its promises wait for ever, which is what dying means here.
 */
export class ProcessClock implements Clock {
  readonly #world: SimulatedClock;
  #isDead = false;

  constructor(world: SimulatedClock) {
    this.#world = world;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  nowMs(): number {
    return this.#world.nowMs();
  }

  unixMs(): number {
    return this.#world.unixMs();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.#world.setTimer(delayMs, () => {
      if (!this.#isDead) callback();
    });
  }

  /** Resolves after `delayMs`; never when the process dies before. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.setTimer(delayMs, resolve));
  }

  die(): void {
    this.#isDead = true;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
