import { Batch, type BatchOrigin } from "@inode-gateway/contract";

/** Stands for the peer of a batch that has several. */
const SEVERAL_PEERS = "several";

/**
 * One request out of several of the same signal, by concatenation: a request is a list of Resources,
 * and protobuf joins lists that are written one after another. Nothing is copied.
 *
 * The senders have been acknowledged, so that their deadlines no longer hold: neither for the result
 * nor for `mergedFrom`, which an exporter may have to send one by one.
 *
 * @param batches at least one; a single one is not merged, but acknowledged all the same
 * @param metadata what all of them have in common
 */
export function mergeBatches(
  batches: readonly Batch[],
  metadata: BatchOrigin["metadata"],
): Batch | undefined {
  const first = batches[0];
  if (first === undefined || batches.length === 1) {
    return first === undefined ? undefined : acknowledged(first, metadata);
  }
  const chunks: Uint8Array[] = [];
  const mergedFrom: Batch[] = [];
  let itemCount = 0;
  let retainedBytes = 0;
  let receivedAtMs = Number.POSITIVE_INFINITY;
  let { peer } = first.origin;
  for (const batch of batches) {
    for (const chunk of batch.chunks) chunks.push(chunk);
    mergedFrom.push(acknowledged(batch, metadata));
    itemCount += batch.itemCount;
    retainedBytes += batch.retainedBytes;
    receivedAtMs = Math.min(receivedAtMs, batch.origin.receivedAtMs);
    if (batch.origin.peer !== peer) peer = SEVERAL_PEERS;
  }
  const origin = { peer, receivedAtMs, deadlineMs: Number.POSITIVE_INFINITY, metadata };
  return new Batch({
    signal: first.signal,
    chunks,
    origin,
    itemCount,
    retainedBytes,
    mergedFrom,
  });
}

/** The same batch when nobody waits for it any more. */
function acknowledged(batch: Batch, metadata: BatchOrigin["metadata"]): Batch {
  const { chunks, itemCount, mergedFrom, retainedBytes, signal } = batch;
  const { peer, receivedAtMs } = batch.origin;
  const origin = { peer, receivedAtMs, deadlineMs: Number.POSITIVE_INFINITY, metadata };
  return new Batch({ signal, chunks, origin, itemCount, retainedBytes, mergedFrom });
}
