import type { Batch, Host } from "@inode-gateway/contract";
import type { PartialSuccess } from "@inode-gateway/otlp";

/** The end of every delivery: knows how to send one batch to one destination, once. */
export interface Sender {
  /** Acquires what sending needs; a destination that is away is no reason to reject. */
  start(host: Host): Promise<void>;
  /**
   * Sends one batch; resolves when the destination has it.
   *
   * @param deadlineMs on the monotonic clock; when it passes, the attempt ends with
   *   `DEADLINE_EXCEEDED`
   * @returns what the destination did not take of a batch it took otherwise, if it said so
   * @throws PermanentError or RetryableError; anything else is a bug of ours
   */
  send(batch: Batch, deadlineMs: number): Promise<PartialSuccess | undefined>;
  /** Lets running sends end until `deadlineMs`, then releases everything. Safe twice. */
  close(deadlineMs: number): Promise<void>;
}

/**
 * One step on the way of a batch from `consume` to the wire.
 *
 * The steps of an exporter are, from the outside in: queue, accounting, salvage, retry, attempt.
 * Each knows only the next one; a persistent queue or batching takes the place of the queue step.
 */
export interface DeliveryStep<Result> {
  /**
   * Brings one batch further.
   *
   * @param deadlineMs until when somebody waits for the result; `Infinity` when nobody does
   * @throws PermanentError or RetryableError; anything else is a bug of ours
   */
  deliver(batch: Batch, deadlineMs: number): Promise<Result>;
}
