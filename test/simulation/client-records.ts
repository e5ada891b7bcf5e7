import type { ItemResource, SimulatedSignal } from "./items.js";

/** One request of one client, with everything it has heard of it. */
export interface RequestRecord {
  readonly client: number;
  readonly tenant: string;
  readonly signal: SimulatedSignal;
  readonly ids: readonly number[];
  /** When it was sent for the first time. */
  readonly firstSentMs: number;
  /** When it was sent for the last time. */
  lastSentMs: number;
  /** When it was answered for the last time. */
  answeredMs: number;
  /** It was refused at least once, to be sent again. */
  wasRefused: boolean;
  /** It was sent again, or given up, without knowing whether it had arrived: duplicates are its own. */
  wasResentBlindly: boolean;
  /** The answer to its last try; `unknown` while there is none. */
  outcome: "unknown" | "acknowledged" | "given_up" | "refused_for_good";
  /** The message of the refusal for good. */
  reason: string;
}

/** What the clients of a world know of their items, in the order in which requests were first sent. */
export class ClientRecords {
  readonly requests: RequestRecord[] = [];
  readonly #byItem = new Map<number, RequestRecord>();
  readonly #resources = new Map<number, ItemResource>();

  get itemCount(): number {
    return this.#resources.size;
  }

  /** Items that the gateway has acknowledged. */
  get acknowledgedCount(): number {
    const acknowledged = this.requests.filter(({ outcome }) => outcome === "acknowledged");
    return acknowledged.reduce((sum, { ids }) => sum + ids.length, 0);
  }

  /** A number for one more item. */
  newItem(resource: ItemResource): number {
    const id = this.#resources.size + 1;
    this.#resources.set(id, resource);
    return id;
  }

  begin(
    request: Pick<RequestRecord, "client" | "tenant" | "signal" | "ids">,
    nowMs: number,
  ): RequestRecord {
    const record: RequestRecord = {
      ...request,
      firstSentMs: nowMs,
      lastSentMs: nowMs,
      answeredMs: nowMs,
      wasRefused: false,
      wasResentBlindly: false,
      outcome: "unknown",
      reason: "",
    };
    this.requests.push(record);
    for (const id of request.ids) this.#byItem.set(id, record);
    return record;
  }

  requestOf(item: number): RequestRecord | undefined {
    return this.#byItem.get(item);
  }

  /** What the Resource of an item says of itself. */
  resourceOf(item: number): ItemResource | undefined {
    return this.#resources.get(item);
  }
}
