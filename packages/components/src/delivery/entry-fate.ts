import { type Ledger, RetryableError } from "@inode-gateway/contract";
import type { Losses } from "./losses.js";
import { worstError } from "./outcome.js";
import type { QueueEntry } from "./queue-entry.js";

/** Tells whoever has to know what became of an entry: its sender, or the ledger. */
export class EntryFate {
  readonly #ledger: Ledger;
  readonly #losses: Losses;

  constructor(ledger: Ledger, losses: Losses) {
    this.#ledger = ledger;
    this.#losses = losses;
  }

  /** @param isStopping whether what could be tried again is lost because the process ends */
  settle(entry: QueueEntry, isStopping: boolean): void {
    const { isTold, itemCount, refused, settle } = entry;
    if (settle === undefined) {
      this.#drop(entry, isStopping);
      this.#ledger.released(itemCount);
      return;
    }
    // A sender that was told to send again does so, whatever became of this copy.
    if (isTold) return;
    let refusedItems = 0;
    for (const { items } of refused) refusedItems += items;
    // Whoever merged requests has acknowledged their senders, and does not send them again.
    const isSentAgain = (entry.batch?.mergedFrom.length ?? 0) < 2;
    const mayBeSentAgain = isSentAgain && refused.some((part) => isRetryable(part.error));
    if (refused.length > 0 && (mayBeSentAgain || refusedItems >= itemCount)) {
      settle(worstError(refused));
      return;
    }
    this.#drop(entry, isStopping);
    settle(undefined);
  }

  #drop({ refused, rejectedItems }: QueueEntry, isStopping: boolean): void {
    this.#losses.dropRejected(rejectedItems);
    for (const part of refused) {
      this.#losses.drop(part, isStopping && isRetryable(part.error) ? "shutdown" : undefined);
    }
  }
}

function isRetryable(error: unknown): boolean {
  return error instanceof RetryableError;
}
