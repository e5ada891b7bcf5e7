import {
  type Batch,
  type BatchOrigin,
  type Clock,
  PermanentError,
  RetryableError,
} from "@inode-gateway/contract";
import type { Chance } from "./chance.js";
import { decodeItems, type ReceivedItem, type SimulatedSignal } from "./items.js";
import type { SimulatedClock } from "./simulated-clock.js";

/** How a destination behaves for a while. */
export type Mood =
  | "healthy"
  /** Answers UNAVAILABLE at once. */
  | "refusing"
  /** Answers RESOURCE_EXHAUSTED and says when to come back. */
  | "throttling"
  /** Never answers. */
  | "hanging"
  /** Takes every request, seconds later. */
  | "slow"
  /** Takes every request, and its answer is lost on the way. */
  | "losing_answers"
  /** Refuses for good what holds a poisoned item. */
  | "picky"
  /** Takes requests without their poisoned items, and says so. */
  | "partial"
  /** Refuses requests of more than {@link SMALL_REQUEST_ITEMS_MAX} items as too large. */
  | "small";

/** Every {@link Mood} but `healthy`. */
export const badMoods: readonly Mood[] = [
  "refusing",
  "throttling",
  "hanging",
  "slow",
  "losing_answers",
  "picky",
  "partial",
  "small",
];

/** What a destination takes in one request while it is `small`. */
export const SMALL_REQUEST_ITEMS_MAX = 3;
/** One item in so many is poisoned. */
const POISONED_ONE_IN = 11;
/** What a slow destination takes for a request. */
const SLOW_MS = { min: 500, max: 4_000 };
/** When a request without a deadline is given up by the network below it. */
const NETWORK_TIMEOUT_MS = 30_000;

/** Whether a picky destination refuses every request with this item. */
export function isPoisoned(id: number): boolean {
  return id % POISONED_ONE_IN === 0;
}

/** A backend: what it was given, and how it feels about it. */
export class Destination {
  readonly name: string;
  /** How often each item came; in the order in which they came first. */
  readonly received = new Map<number, number>();
  /** Never anything but healthy, from the beginning to the end. */
  readonly wasAlwaysHealthy: boolean;
  readonly #clock: SimulatedClock;
  readonly #chance: Chance;
  readonly #moods: { readonly untilMs: number; readonly mood: Mood }[];
  readonly #onRequest: (items: readonly ReceivedItem[], origin: BatchOrigin) => void;

  /** @param moods in the order of time; healthy behind the last one */
  constructor(
    name: string,
    clock: SimulatedClock,
    chance: Chance,
    moods: readonly { readonly untilMs: number; readonly mood: Mood }[],
    onRequest: (items: readonly ReceivedItem[], origin: BatchOrigin) => void,
  ) {
    this.name = name;
    this.#clock = clock;
    this.#chance = chance;
    this.#moods = [...moods];
    this.wasAlwaysHealthy = moods.every(({ mood }) => mood === "healthy");
    this.#onRequest = onRequest;
  }

  get mood(): Mood {
    const nowMs = this.#clock.nowMs();
    return this.#moods.find(({ untilMs }) => nowMs < untilMs)?.mood ?? "healthy";
  }

  /** From now on healthy. */
  heal(): void {
    const nowMs = this.#clock.nowMs();
    this.#moods.push({ untilMs: nowMs, mood: this.mood });
    this.#moods.splice(0, this.#moods.length - 1);
  }

  /**
   * Sends one request over the simulated network.
   *
   * @param clock of the sending process: the answer reaches nobody when it has died, the request still
   *   reaches the destination
   */
  request(batch: Batch, deadlineMs: number, clock: Clock): Promise<number> {
    return new Promise((resolve, reject) => {
      const giveUpMs = Math.min(deadlineMs - clock.nowMs(), NETWORK_TIMEOUT_MS);
      const timer = clock.setTimer(giveUpMs, () => {
        reject(new RetryableError("DEADLINE_EXCEEDED", `${this.name} did not answer in time`));
      });
      const answer = (settle: () => void) => {
        clock.setTimer(this.#chance.between(0, 10), () => {
          timer.cancel();
          settle();
        });
      };
      const isSlow = this.mood === "slow";
      const workMs = isSlow ? this.#chance.between(SLOW_MS.min, SLOW_MS.max) : 0;
      this.#clock.setTimer(workMs + this.#chance.between(0, 10), () => {
        try {
          const rejected = this.#receive(batch);
          if (rejected !== undefined) answer(() => resolve(rejected));
        } catch (error) {
          answer(() => reject(error as Error));
        }
      });
    });
  }

  /** Items that were refused out of a request that was taken; undefined when no answer comes. */
  #receive(batch: Batch): number | undefined {
    const { mood } = this;
    const items = decodeItems(batch.signal as SimulatedSignal, batch.bytes);
    this.#onRequest(items, batch.origin);
    switch (mood) {
      case "refusing":
        throw new RetryableError("BACKEND_UNAVAILABLE", `${this.name} is unavailable`);
      case "throttling": {
        const retryAfterMs = this.#chance.between(1, 3_000);
        throw new RetryableError("BACKEND_UNAVAILABLE", "slow down", { retryAfterMs });
      }
      case "hanging":
        return undefined;
      case "losing_answers":
        this.#take(items);
        return undefined;
      case "picky":
        if (!items.some(({ id }) => isPoisoned(id))) break;
        throw new PermanentError("BACKEND_REJECTED", "a poisoned item");
      case "small":
        if (items.length <= SMALL_REQUEST_ITEMS_MAX) break;
        throw new PermanentError("BATCH_TOO_LARGE", `${items.length} items are too many`);
      case "partial": {
        const good = items.filter(({ id }) => !isPoisoned(id));
        this.#take(good);
        return items.length - good.length;
      }
      case "slow":
      case "healthy":
        break;
    }
    this.#take(items);
    return 0;
  }

  #take(items: readonly ReceivedItem[]): void {
    for (const item of items) {
      this.received.set(item.id, (this.received.get(item.id) ?? 0) + 1);
    }
  }
}
