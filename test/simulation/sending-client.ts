import { isDeliveryError, RetryableError } from "@inode-gateway/contract";
import type { Chance } from "./chance.js";
import {
  encodeItems,
  type ItemResource,
  type ResourceItems,
  type SimulatedSignal,
} from "./items.js";
import type { SimulatedClock } from "./simulated-clock.js";

/** How often a client sends one request before it gives it up, as SDKs do. */
const TRIES_MAX = 8;
/** What a client waits when nobody told it how long. */
const RETRY_MS = 500;

/** The connection broke before an answer came: the request may have arrived or not. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** The gateway as a client reaches it. */
export interface ClientTarget {
  /**
   * Sends one request.
   *
   * @throws ConnectionLost, or the delivery error that the gateway answered with
   */
  send(signal: SimulatedSignal, bytes: Uint8Array, deadlineMs: number): Promise<void>;
}

/** What the clients of a world know of their items. */
export interface ClientRecords {
  /** Items that the gateway has acknowledged, with their signal. */
  readonly acknowledged: Map<number, SimulatedSignal>;
  /** Items that were sent again without knowing whether they had arrived: duplicates are their own. */
  readonly resentBlindly: Set<number>;
  /** What every item's Resource said of itself. */
  readonly resources: Map<number, ItemResource>;
}

/** What one client does. */
export interface ClientPlan {
  readonly signals: readonly SimulatedSignal[];
  readonly requests: number;
  readonly itemsMax: number;
  readonly pauseMsMax: number;
  /** How long it waits for an answer; `Infinity` for as long as it takes. */
  readonly timeoutMs: number;
  readonly answerLossProbability: number;
}

/** An application with an SDK: sends requests, one after another, and retries as OTLP asks it to. */
export class SendingClient {
  readonly #clock: SimulatedClock;
  readonly #chance: Chance;
  readonly #plan: ClientPlan;
  readonly #resources: readonly ItemResource[];
  readonly #records: ClientRecords;
  readonly #nextId: () => number;

  constructor(
    {
      clock,
      records,
      nextId,
    }: { clock: SimulatedClock; records: ClientRecords; nextId: () => number },
    chance: Chance,
    plan: ClientPlan,
    resources: readonly ItemResource[],
  ) {
    this.#clock = clock;
    this.#chance = chance;
    this.#plan = plan;
    this.#resources = resources;
    this.#records = records;
    this.#nextId = nextId;
  }

  /** Resolves when every request was acknowledged or given up. */
  async run(target: ClientTarget): Promise<void> {
    for (let request = 0; request < this.#plan.requests; request++) {
      await this.#clock.sleep(this.#chance.between(0, this.#plan.pauseMsMax));
      const signal = this.#chance.oneOf(this.#plan.signals);
      const groups = this.#groups();
      await this.#deliver(target, signal, groups);
    }
  }

  async #deliver(
    target: ClientTarget,
    signal: SimulatedSignal,
    groups: readonly ResourceItems[],
  ): Promise<void> {
    const bytes = encodeItems(signal, groups);
    const ids = groups.flatMap((group) => group.ids);
    for (let attempt = 1; attempt <= TRIES_MAX; attempt++) {
      try {
        await this.#exchange(target, signal, bytes);
        for (const id of ids) this.#records.acknowledged.set(id, signal);
        return;
      } catch (error) {
        if (error instanceof ConnectionLost) {
          for (const id of ids) this.#records.resentBlindly.add(id);
          await this.#clock.sleep(RETRY_MS);
          continue;
        }
        if (!isDeliveryError(error)) throw error;
        if (!(error instanceof RetryableError)) return;
        await this.#clock.sleep(error.retryAfterMs ?? RETRY_MS);
      }
    }
  }

  async #exchange(target: ClientTarget, signal: SimulatedSignal, bytes: Uint8Array): Promise<void> {
    const { answerLossProbability, timeoutMs } = this.#plan;
    await this.#clock.sleep(this.#chance.between(0, 5));
    const isAnswerLost = this.#chance.happens(answerLossProbability);
    const answer = target.send(signal, bytes, this.#clock.nowMs() + timeoutMs);
    if (Number.isFinite(timeoutMs)) {
      const late = this.#clock.sleep(timeoutMs).then(() => {
        throw new ConnectionLost("the client waited no longer");
      });
      await Promise.race([answer, late]);
    } else {
      await answer;
    }
    if (isAnswerLost) throw new ConnectionLost("the answer was lost");
  }

  #groups(): ResourceItems[] {
    const groups: ResourceItems[] = [];
    for (let count = this.#chance.between(1, 2); count > 0; count--) {
      const resource = this.#chance.oneOf(this.#resources);
      const ids: number[] = [];
      for (let items = this.#chance.between(1, this.#plan.itemsMax); items > 0; items--) {
        const id = this.#nextId();
        ids.push(id);
        this.#records.resources.set(id, resource);
      }
      groups.push({ resource, ids });
    }
    return groups;
  }
}
