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

  /**
   * Settles a delivery whose sender waits: what was refused beside something that was taken is lost.
   *
   * @throws the worst error when nothing was taken: the sender is told, and nothing is lost
   */
  settle(outcome: Outcome): void {
    if (outcome.refused.length === 0) return;
    if (!isAnythingTaken(outcome)) throw worstError(outcome.refused);
    for (const part of outcome.refused) this.drop(part);
  }
}

/** The ledger's reason for data that an exporter gave up. */
function dropReason(error: unknown): string {
  if (error instanceof PermanentError) return error.code.toLowerCase();
  return error instanceof RetryableError ? "retries_exhausted" : "internal_error";
}
