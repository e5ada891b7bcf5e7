import { isDeliveryError, RetryableError } from "@inode-gateway/contract";
import type { Chance } from "./chance.js";
import type { ClientRecords } from "./client-records.js";
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

/** One request on its way. */
export interface SentRequest {
  readonly signal: SimulatedSignal;
  readonly bytes: Uint8Array;
  readonly tenant: string;
  /** Until when the client waits. */
  readonly deadlineMs: number;
}

/** The gateway as a client reaches it. */
export interface ClientTarget {
  /**
   * Sends one request.
   *
   * @throws ConnectionLost, or the delivery error that the gateway answered with
   */
  send(request: SentRequest): Promise<void>;
}

/** What one client does. */
export interface ClientPlan {
  readonly signals: readonly SimulatedSignal[];
  readonly tenant: string;
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
  readonly #number: number;

  /** @param number tells this client from the others of its world */
  constructor(
    { clock, number, records }: { clock: SimulatedClock; number: number; records: ClientRecords },
    chance: Chance,
    plan: ClientPlan,
    resources: readonly ItemResource[],
  ) {
    this.#clock = clock;
    this.#number = number;
    this.#chance = chance;
    this.#plan = plan;
    this.#resources = resources;
    this.#records = records;
  }

  /** Resolves when every request was acknowledged or given up. */
  async run(target: ClientTarget): Promise<void> {
    for (let request = 0; request < this.#plan.requests; request++) {
      await this.#clock.sleep(this.#chance.between(0, this.#plan.pauseMsMax));
      const signal = this.#chance.oneOf(this.#plan.signals);
      await this.#deliver(target, signal, this.#groups());
    }
  }

  async #deliver(
    target: ClientTarget,
    signal: SimulatedSignal,
    groups: readonly ResourceItems[],
  ): Promise<void> {
    const bytes = encodeItems(signal, groups);
    const ids = groups.flatMap((group) => group.ids);
    const { tenant } = this.#plan;
    const whose = { client: this.#number, tenant, signal, ids };
    const record = this.#records.begin(whose, this.#clock.nowMs());
    for (let attempt = 1; attempt <= TRIES_MAX; attempt++) {
      record.lastSentMs = this.#clock.nowMs();
      try {
        await this.#exchange(target, signal, bytes);
        record.outcome = "acknowledged";
        return;
      } catch (error) {
        if (error instanceof ConnectionLost) {
          record.wasResentBlindly = true;
          await this.#clock.sleep(RETRY_MS);
          continue;
        }
        if (!isDeliveryError(error)) throw error;
        if (!(error instanceof RetryableError)) {
          record.outcome = "refused_for_good";
          record.reason = error.message;
          return;
        }
        record.wasRefused = true;
        await this.#clock.sleep(error.retryAfterMs ?? RETRY_MS);
      } finally {
        record.answeredMs = this.#clock.nowMs();
      }
    }
    record.outcome = "given_up";
  }

  async #exchange(target: ClientTarget, signal: SimulatedSignal, bytes: Uint8Array): Promise<void> {
    const { answerLossProbability, tenant, timeoutMs } = this.#plan;
    await this.#clock.sleep(this.#chance.between(0, 5));
    const isAnswerLost = this.#chance.happens(answerLossProbability);
    const deadlineMs = this.#clock.nowMs() + timeoutMs;
    const answer = target
      .send({ signal, bytes, tenant, deadlineMs })
      .catch((error: unknown) => this.#hear(error, deadlineMs));
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

  /** That its own time is over tells a client nothing of what became of its request. */
  #hear(error: unknown, deadlineMs: number): never {
    const isOver = isDeliveryError(error) && error.code === "DEADLINE_EXCEEDED";
    if (isOver && this.#clock.nowMs() >= deadlineMs) {
      throw new ConnectionLost("the gateway's answer came with the end of the client's patience");
    }
    throw error;
  }

  #groups(): ResourceItems[] {
    const groups: ResourceItems[] = [];
    for (let count = this.#chance.between(1, 2); count > 0; count--) {
      const resource = this.#chance.oneOf(this.#resources);
      const ids: number[] = [];
      for (let items = this.#chance.between(1, this.#plan.itemsMax); items > 0; items--) {
        ids.push(this.#records.newItem(resource));
      }
      groups.push({ resource, ids });
    }
    return groups;
  }
}
