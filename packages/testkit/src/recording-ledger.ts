import type { Ledger } from "@inode-gateway/contract";

/** A ledger that a test can read; it refuses what no honest component would report. */
export class RecordingLedger implements Ledger {
  readonly #droppedByReason = new Map<string, number>();
  #heldItems = 0;
  #recoveredItems = 0;
  #persistedItems = 0;

  held(items: number): void {
    this.#heldItems += checked(items);
  }

  released(items: number): void {
    this.#heldItems -= checked(items);
    if (this.#heldItems < 0) throw new RangeError("released more items than were held");
  }

  dropped(items: number, reason: string): void {
    if (!/^[a-z][a-z0-9_]*$/.test(reason)) throw new TypeError(`reason \`${reason}\``);
    const before = this.#droppedByReason.get(reason) ?? 0;
    this.#droppedByReason.set(reason, before + checked(items));
  }

  recovered(items: number): void {
    this.#recoveredItems += checked(items);
    this.#heldItems += items;
  }

  persisted(items: number): void {
    this.#persistedItems += checked(items);
    this.released(items);
  }

  /** Items found on disk at start. */
  get recoveredItems(): number {
    return this.#recoveredItems;
  }

  /** Items left on disk for the next process. */
  get persistedItems(): number {
    return this.#persistedItems;
  }

  /** Items held at this moment. */
  get heldItems(): number {
    return this.#heldItems;
  }

  /** Items dropped for one reason, or for any. */
  droppedItems(reason?: string): number {
    if (reason !== undefined) return this.#droppedByReason.get(reason) ?? 0;
    let sum = 0;
    for (const items of this.#droppedByReason.values()) sum += items;
    return sum;
  }

  /** Every reason with its items. */
  get dropReasons(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#droppedByReason);
  }
}

function checked(items: number): number {
  if (Number.isSafeInteger(items) && items >= 0) return items;
  throw new RangeError(`${items} is no number of items`);
}
