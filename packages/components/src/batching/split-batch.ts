import { Batch } from "@inode-gateway/contract";
import { splitRequest } from "@inode-gateway/otlp";
import { mergeBatches } from "./merge-batches.js";

/** Largest part; what is left out is unlimited. */
export interface SizeLimits {
  readonly maxItems?: number;
  readonly maxBytes?: number;
}

/** Whether a batch is within the limits. */
export function keeps(
  { byteLength, itemCount }: Pick<Batch, "byteLength" | "itemCount">,
  { maxBytes = Number.POSITIVE_INFINITY, maxItems = Number.POSITIVE_INFINITY }: SizeLimits,
): boolean {
  return itemCount <= maxItems && byteLength <= maxBytes;
}

/**
 * Takes a batch that is too large apart, in order, into parts within the limits.
 *
 * The requests of a merged batch stay whole, as many together as fit, so that a part that is refused can
 * still be taken apart into them; only a request that alone is too large is split on the wire.
 */
export function splitBatch(batch: Batch, limits: SizeLimits): readonly Batch[] {
  if (batch.mergedFrom.length < 2) return splitAlone(batch, limits);
  const parts: Batch[] = [];
  let members: Batch[] = [];
  let itemCount = 0;
  let byteLength = 0;
  const close = () => {
    const merged = mergeBatches(members, batch.origin.metadata);
    if (merged !== undefined) parts.push(merged);
    members = [];
    itemCount = 0;
    byteLength = 0;
  };
  for (const member of batch.mergedFrom) {
    itemCount += member.itemCount;
    byteLength += member.byteLength;
    if (members.length > 0 && !keeps({ itemCount, byteLength }, limits)) {
      close();
      ({ itemCount, byteLength } = member);
    }
    members.push(member);
    if (keeps(member, limits)) continue;
    members.pop();
    itemCount = 0;
    byteLength = 0;
    parts.push(...splitBatch(member, limits));
  }
  close();
  return parts;
}

function splitAlone({ bytes, origin, signal }: Batch, limits: SizeLimits): readonly Batch[] {
  return splitRequest(signal, bytes, limits).map(({ chunks, itemCount }) => {
    return new Batch({ signal, origin, chunks, itemCount });
  });
}
