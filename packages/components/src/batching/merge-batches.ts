import { Batch, type BatchOrigin } from "@inode-gateway/contract";
import { mergeRequests } from "@inode-gateway/otlp";

/** Stands for the peer of a batch that has several. */
const SEVERAL_PEERS = "several";

/**
 * One request out of several of the same signal, whose senders do not wait for this very request.
 *
 * Their deadlines no longer hold: neither for the result nor for `mergedFrom`, which an exporter may
 * have to send one by one. Whoever still answers a sender keeps its deadline.
 *
 * @param batches at least one, never of profiles; a single one is not merged, but loses its deadline
 *   all the same
 * @param metadata what all of them have in common
 */
export function mergeBatches(
  batches: readonly Batch[],
  metadata: BatchOrigin["metadata"],
): Batch | undefined {
  return mergeMembers(
    batches.map((batch) => withoutDeadline(batch, metadata)),
    metadata,
  );
}

/**
 * The same for batches that have lost their deadlines: the very objects become `mergedFrom`. Nothing
 * is copied; `retainedBytes` are those of all of them.
 */
export function mergeMembers(
  members: readonly Batch[],
  metadata: BatchOrigin["metadata"],
): Batch | undefined {
  const first = members[0];
  if (first === undefined || members.length === 1) return first;
  let itemCount = 0;
  let retainedBytes = 0;
  let receivedAtMs = Number.POSITIVE_INFINITY;
  let { peer } = first.origin;
  for (const member of members) {
    itemCount += member.itemCount;
    retainedBytes += member.retainedBytes;
    receivedAtMs = Math.min(receivedAtMs, member.origin.receivedAtMs);
    if (member.origin.peer !== peer) peer = SEVERAL_PEERS;
  }
  const chunks = mergeRequests(
    first.signal,
    members.map((member) => member.chunks),
  );
  return new Batch({
    signal: first.signal,
    chunks,
    origin: { peer, receivedAtMs, deadlineMs: Number.POSITIVE_INFINITY, metadata },
    itemCount,
    retainedBytes,
    mergedFrom: members,
  });
}

function withoutDeadline(batch: Batch, metadata: BatchOrigin["metadata"]): Batch {
  const { chunks, itemCount, mergedFrom, retainedBytes, signal } = batch;
  const { peer, receivedAtMs } = batch.origin;
  const origin = { peer, receivedAtMs, deadlineMs: Number.POSITIVE_INFINITY, metadata };
  return new Batch({ signal, chunks, origin, itemCount, retainedBytes, mergedFrom });
}
