import type { Logger } from "@inode-gateway/contract";
import type { AccountingSnapshot } from "@inode-gateway/pipeline";

/**
 * Logs the accounting identity of every exporter that took part: what was accepted, and where it is.
 *
 * An error when items are still held, since they are lost with the process, or when the sum does not
 * come out, which is a bug of ours.
 */
export function reportAccounting(snapshot: AccountingSnapshot, logger: Logger): void {
  for (const identity of snapshot.identities) {
    const { id, signal, accepted, deliveredButRefused, delivered } = identity;
    const { dropped, held, inFlight, unaccounted } = identity;
    if (accepted + deliveredButRefused + delivered + dropped === 0) continue;
    const fields = {
      exporter: id,
      signal,
      accepted,
      delivered,
      dropped: reasonsOf(snapshot, id, signal),
      ...(deliveredButRefused > 0 ? { deliveredButRefused } : {}),
    };
    if (unaccounted !== 0) {
      logger.error("items are unaccounted for: a bug of the gateway", { ...fields, unaccounted });
    } else if (held + inFlight > 0) {
      logger.error("items were lost when the time to stop was over", { ...fields, held, inFlight });
    } else {
      logger.info("every accepted item is accounted for", fields);
    }
  }
}

/** Items dropped on the way to an exporter by reason, over the pipelines of its signal. */
function reasonsOf(
  { components }: AccountingSnapshot,
  exporterId: string,
  signal: string,
): Record<string, number> {
  const reasons: Record<string, number> = {};
  for (const component of components) {
    const isOnTheWay = component.kind === "processor" || component.id === exporterId;
    if (component.signal !== signal || !isOnTheWay) continue;
    for (const [reason, items] of Object.entries(component.dropped)) {
      reasons[reason] = (reasons[reason] ?? 0) + items;
    }
  }
  return reasons;
}
