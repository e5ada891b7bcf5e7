import { type Batch, type Clock, RetryableError, type Timer } from "@inode-gateway/contract";
import { TIMER_MS_MAX } from "../transport/timer-duration.js";
import { entryOf, type QueueEntry } from "./queue-entry.js";

/** A sender that waits until the destination has its batch. */
export interface WaitingSender {
  readonly batch: Batch;
  readonly size: number;
  readonly deadlineMs: number;
  /**
   * Whether its batch may be merged with others: then the delivery lives as long as the most patient
   * of them waits, and it is told at its own deadline, as one is that waits for its turn.
   */
  readonly isMerged: boolean;
}

/** Puts a batch into the queue; resolves when it is delivered, rejects when it is not. */
export function untilDelivered(
  clock: Clock,
  { batch, deadlineMs, isMerged, size }: WaitingSender,
  enqueue: (entry: QueueEntry) => void,
): Promise<void> {
  const enqueuedAtMs = clock.nowMs();
  return new Promise((resolve, reject) => {
    let timer: Timer | undefined;
    const settle = (error: unknown) => {
      timer?.cancel();
      if (error === undefined) resolve();
      else reject(error);
    };
    const entry = entryOf(batch, { size, enqueuedAtMs, deadlineMs, settle });
    enqueue(entry);
    // What is under way alone ends at its deadline by itself; what waits behind others does not.
    const isAlone = !isMerged && entry.jobsLeft > 0;
    if (!isAlone && Number.isFinite(deadlineMs)) {
      const waitMs = Math.min(Math.max(0, deadlineMs - enqueuedAtMs), TIMER_MS_MAX);
      timer = clock.setTimer(waitMs, () => {
        entry.isTold = true;
        const message = "the sender's deadline passed before its batch was delivered";
        reject(new RetryableError("DEADLINE_EXCEEDED", message));
      });
    }
  });
}
