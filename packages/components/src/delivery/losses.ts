import { type ComponentSettings, PermanentError, RetryableError } from "@inode-gateway/contract";
import { LogInterval } from "../transport/log-interval.js";
import { failureFields } from "./failure-fields.js";
import { isAnythingTaken, type Outcome, type RefusedPart, worstError } from "./outcome.js";

/** Reports what is lost, although its sender was told that all is well. */
export class Losses {
  readonly #settings: ComponentSettings;
  readonly #log: LogInterval;

  constructor(settings: ComponentSettings) {
    this.#settings = settings;
    this.#log = new LogInterval(settings.logger, settings.clock);
  }

  /** @param reason the ledger's reason, where the error alone does not tell */
  drop({ error, items, peer }: RefusedPart, reason = dropReason(error)): void {
    this.#settings.ledger.dropped(items, reason);
    const fields = { ...failureFields(error), peer, dropped_items: items };
    this.#log.log("error", "Exporting failed. Dropping data.", fields);
  }

  /** @param items those that the destination rejected inside requests that it took otherwise; or 0 */
  dropRejected(items: number): void {
    if (items > 0) this.#settings.ledger.dropped(items, "backend_partial_success");
  }

  /**
   * Settles a delivery whose sender waits: what was refused beside something that was taken is lost.
   *
   * @throws the worst error when nothing was taken: the sender is told, and nothing is lost
   */
  settle(outcome: Outcome): void {
    const { partial, refused } = outcome;
    if (refused.length > 0 && !isAnythingTaken(outcome)) throw worstError(refused);
    for (const part of refused) this.drop(part);
    this.dropRejected(partial?.rejectedItems ?? 0);
  }
}

/** The ledger's reason for data that an exporter gave up. */
function dropReason(error: unknown): string {
  if (error instanceof PermanentError) return error.code.toLowerCase();
  return error instanceof RetryableError ? "retries_exhausted" : "internal_error";
}
