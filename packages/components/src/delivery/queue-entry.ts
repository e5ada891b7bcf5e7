import type { Batch } from "@inode-gateway/contract";
import type { Outcome, RefusedPart } from "./outcome.js";

/** One request in a sending queue, from its acceptance to the end of its last export. */
export interface QueueEntry {
  /** Undefined while the bytes are on disk only. */
  batch: Batch | undefined;
  /** Its key in the log on disk; undefined in a queue in memory, and until the disk has it. */
  key: number | undefined;
  /** What it takes of `queue_size`. */
  readonly size: number;
  readonly itemCount: number;
  /** Bytes of the request; for what was found on disk, of its whole record. */
  readonly byteLength: number;
  /** When it came in, on the monotonic clock. */
  enqueuedAtMs: number;
  /** Until when somebody waits for the result; `Infinity` when nobody does. */
  readonly deadlineMs: number;
  /** Tells the sender what became of it; undefined when nobody waits. */
  readonly settle: ((error: unknown) => void) | undefined;
  /** The sender has been told that its time is over; nobody waits any more. */
  isTold: boolean;
  /** Exports that carry a part of it and have not ended. */
  jobsLeft: number;
  /** Parts of it that a destination did not take. */
  readonly refused: RefusedPart[];
  /** Items of it that a destination rejected inside requests that it took otherwise. */
  rejectedItems: number;
}

/** One request as it goes on the wire, with the entries whose items it carries. */
export interface QueueJob {
  readonly batch: Batch;
  /** Several entries are the batch's `mergedFrom`, in the same order. */
  readonly entries: readonly QueueEntry[];
}

/** What is known of an entry besides its batch. */
type EntryParts = Pick<QueueEntry, "size" | "enqueuedAtMs"> &
  Partial<Pick<QueueEntry, "deadlineMs" | "settle">>;

/** A new entry of a batch. */
export function entryOf(batch: Batch, parts: EntryParts): QueueEntry {
  return {
    batch,
    key: undefined,
    size: parts.size,
    itemCount: batch.itemCount,
    byteLength: batch.byteLength,
    enqueuedAtMs: parts.enqueuedAtMs,
    deadlineMs: parts.deadlineMs ?? Number.POSITIVE_INFINITY,
    settle: parts.settle,
    isTold: false,
    jobsLeft: 0,
    refused: [],
    rejectedItems: 0,
  };
}

/** Until when somebody waits for a job: the most patient of its senders. */
export function deadlineOf({ entries }: QueueJob): number {
  let deadlineMs = Number.NEGATIVE_INFINITY;
  for (const entry of entries) deadlineMs = Math.max(deadlineMs, entry.deadlineMs);
  return deadlineMs;
}

/** What became of a job of which nothing was taken, and nobody can say which part was the cause. */
export function failedWhole({ batch, entries }: QueueJob, error: unknown): Outcome {
  const members = entries.length === 1 ? [batch] : batch.mergedFrom;
  const refused = members.map((member) => ({
    items: member.itemCount,
    error,
    peer: member.origin.peer,
    member,
  }));
  return { deliveredItems: 0, partial: undefined, refused };
}

/** Notes what a destination did not take of a job with the entries that it is of. */
export function shareLosses(job: QueueJob, { partial, refused }: Outcome): void {
  const { batch, entries } = job;
  for (const [index, entry] of entries.entries()) {
    const member = entries.length === 1 ? undefined : batch.mergedFrom[index];
    for (const part of refused) {
      if (member === undefined || part.member === member) entry.refused.push(part);
    }
  }
  if (partial !== undefined) shareRejected(job, partial.rejectedItems);
}

/** A destination does not say whose items it rejected: the first are as good as any. */
function shareRejected({ batch, entries }: QueueJob, rejectedItems: number): void {
  let left = rejectedItems;
  for (const entry of entries) {
    let taken = batch.itemCount;
    if (entries.length > 1) {
      taken = entry.itemCount;
      for (const part of entry.refused) taken -= part.items;
    }
    const items = Math.min(left, taken);
    entry.rejectedItems += items;
    left -= items;
  }
}
