import type { Ledger } from "@inode-gateway/contract";

/** Reasons one component may give; more are a mistake and are counted together as `other`. */
export const DROP_REASONS_MAX = 32;

/** The ledger of one component instance, with the sums that the accounting reads. */
export class Tally implements Ledger {
  readonly #droppedByReason = new Map<string, number>();
  readonly #onReason: (reason: string) => void;
  #heldItems = 0;
  #droppedItems = 0;
  #recoveredItems = 0;
  #persistedItems = 0;
  #isClosed = false;

  /** @param onReason called once for every reason, before its first items are counted */
  constructor(onReason: (reason: string) => void = () => undefined) {
    this.#onReason = onReason;
  }

  held(items: number): void {
    if (!this.#isClosed) this.#heldItems += items;
  }

  released(items: number): void {
    if (!this.#isClosed) this.#heldItems -= items;
  }

  dropped(items: number, reason: string): void {
    if (!this.#isClosed) this.#drop(items, reason);
  }

  recovered(items: number): void {
    if (this.#isClosed) return;
    this.#recoveredItems += items;
    this.#heldItems += items;
  }

  persisted(items: number): void {
    if (this.#isClosed) return;
    this.#persistedItems += items;
    this.#heldItems -= items;
  }

  /** Counts what is still held as dropped and hears nothing more: the component was passed over. */
  abandon(reason: string): number {
    const items = this.#heldItems;
    if (!this.#isClosed && items > 0) this.#drop(items, reason);
    this.#heldItems = 0;
    this.#isClosed = true;
    return items;
  }

  get heldItems(): number {
    return this.#heldItems;
  }

  get droppedItems(): number {
    return this.#droppedItems;
  }

  /** Items found on disk at start. */
  get recoveredItems(): number {
    return this.#recoveredItems;
  }

  /** Items left on disk for the next process. */
  get persistedItems(): number {
    return this.#persistedItems;
  }

  droppedFor(reason: string): number {
    return this.#droppedByReason.get(reason) ?? 0;
  }

  get dropReasons(): ReadonlyMap<string, number> {
    return this.#droppedByReason;
  }

  #drop(items: number, reason: string): void {
    const isKnown = this.#droppedByReason.has(reason);
    const key = isKnown || this.#droppedByReason.size < DROP_REASONS_MAX - 1 ? reason : "other";
    const before = this.#droppedByReason.get(key);
    if (before === undefined) this.#onReason(key);
    this.#droppedByReason.set(key, (before ?? 0) + items);
    this.#droppedItems += items;
  }
}
