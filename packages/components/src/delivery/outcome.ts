import { type Batch, RetryableError } from "@inode-gateway/contract";
import type { PartialSuccess } from "@inode-gateway/otlp";

/** Items that a destination did not take: refused for good, or not delivered in all their time. */
export interface RefusedPart {
  readonly items: number;
  /** A PermanentError or RetryableError; anything else is a bug of ours. */
  readonly error: unknown;
  /** Who sent the items, as far as it is known. */
  readonly peer: string;
  /** Which of the batches a merged batch was made of the items belong to; else the batch itself. */
  readonly member: Batch;
}

/** What became of the items of one batch. */
export interface Outcome {
  readonly deliveredItems: number;
  /** What the destination said it did not take of requests that it took otherwise. */
  readonly partial: PartialSuccess | undefined;
  readonly refused: readonly RefusedPart[];
}

/** Whether the destination took anything, be it only to reject items inside a request. */
export function isAnythingTaken({ deliveredItems, partial }: Outcome): boolean {
  return deliveredItems + (partial?.rejectedItems ?? 0) > 0;
}

/** The error that says most about what to do next: one that lets somebody send again, else the first. */
export function worstError(refused: readonly RefusedPart[]): unknown {
  const retryable = refused.find(({ error }) => error instanceof RetryableError);
  return (retryable ?? refused[0])?.error;
}
