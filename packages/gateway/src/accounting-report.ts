import type { Logger } from "@inode-gateway/contract";
import type { AccountingSnapshot, IdentityAccount } from "@inode-gateway/pipeline";

/**
 * Logs the accounting identity of every exporter that took part, over all reloads: what was accepted,
 * and where it is.
 *
 * An error when items are still held, since they are lost with the process, or when the sum does not
 * come out, which is a bug of ours.
 */
export function reportAccounting({ identities }: AccountingSnapshot, logger: Logger): void {
  for (const identity of identities) {
    if (!tookPart(identity)) continue;
    const { held, inFlight, unaccounted } = identity;
    const fields = fieldsOf(identity);
    if (unaccounted !== 0) {
      logger.error("items are unaccounted for: a bug of the gateway", {
        ...fields,
        held,
        inFlight,
        unaccounted,
      });
    } else if (held + inFlight > 0) {
      logger.error("items were lost when the time to stop was over", { ...fields, held, inFlight });
    } else {
      logger.info("every accepted item is accounted for", fields);
    }
  }
}

function tookPart(identity: IdentityAccount): boolean {
  const { accepted, delivered, deliveredButRefused, deliveredEarly, dropped } = identity;
  const { persisted, recovered } = identity;
  const items = [accepted, delivered, deliveredButRefused, deliveredEarly, dropped];
  return [...items, persisted, recovered].some((count) => count !== 0);
}

function fieldsOf(identity: IdentityAccount) {
  const { accepted, delivered, deliveredButRefused, deliveredEarly } = identity;
  const { dropReasons, id, persisted, recovered, signal } = identity;
  return {
    exporter: id,
    signal,
    accepted,
    // Explained in README.md; there is nothing to explain without a queue on disk ...
    ...(recovered > 0 ? { recovered } : {}),
    // ... and unless several destinations disagreed.
    ...(deliveredButRefused !== 0 ? { deliveredButRefused } : {}),
    ...(deliveredEarly > 0 ? { deliveredEarly } : {}),
    delivered,
    dropped: dropReasons,
    ...(persisted > 0 ? { persisted } : {}),
  };
}
