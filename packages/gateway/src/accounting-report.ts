import type { Logger } from "@inode-gateway/contract";
import type { AccountingSnapshot, CheckedPipeline, IdentityAccount } from "@inode-gateway/pipeline";

/**
 * Logs the accounting identity of every exporter that took part: what was accepted, and where it is.
 *
 * An error when items are still held, since they are lost with the process, or when the sum does not
 * come out, which is a bug of ours.
 */
export function reportAccounting(
  snapshot: AccountingSnapshot,
  pipelines: readonly CheckedPipeline[],
  logger: Logger,
): void {
  for (const identity of snapshot.identities) {
    const { id, signal, accepted, deliveredButRefused, deliveredEarly, delivered } = identity;
    const { held, inFlight, unaccounted } = identity;
    if (accepted + deliveredButRefused + deliveredEarly + delivered + identity.dropped === 0) {
      continue;
    }
    const fields = {
      exporter: id,
      signal,
      accepted,
      // Explained in README.md; both are 0 unless several destinations disagreed.
      ...(deliveredButRefused > 0 ? { deliveredButRefused } : {}),
      ...(deliveredEarly > 0 ? { deliveredEarly } : {}),
      delivered,
      dropped: dropReasons(snapshot, pipelines, identity),
    };
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

/** Items dropped on the way to an exporter and by itself, by reason, over all its pipelines. */
function dropReasons(
  { components }: AccountingSnapshot,
  pipelines: readonly CheckedPipeline[],
  { kind, id, signal }: IdentityAccount,
): Record<string, number> {
  const itsPipelines = new Set(
    pipelines
      .filter((pipeline) => pipeline.signal === signal && pipeline.exporters.includes(id))
      .map((pipeline) => pipeline.id),
  );
  const reasons: Record<string, number> = {};
  for (const component of components) {
    const isItself = component.kind === kind && component.id === id && component.signal === signal;
    const isOnTheWay =
      component.kind === "processor" &&
      component.pipeline !== undefined &&
      itsPipelines.has(component.pipeline);
    if (!isItself && !isOnTheWay) continue;
    for (const [reason, items] of Object.entries(component.dropped)) {
      reasons[reason] = (reasons[reason] ?? 0) + items;
    }
  }
  return reasons;
}
