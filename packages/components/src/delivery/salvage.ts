import { Batch, PermanentError, RetryableError } from "@inode-gateway/contract";
import { GrpcCode } from "@inode-gateway/grpc";
import { type PartialSuccess, splitRequest } from "@inode-gateway/otlp";
import type { DeliveryStep } from "./delivery-step.js";

/** A part of a batch that is lost: refused for good, or not delivered in all its time. */
interface RefusedPart {
  readonly items: number;
  readonly error: PermanentError | RetryableError;
}

/** What became of the items of one batch; at least one of them was taken. */
export interface Outcome {
  readonly deliveredItems: number;
  /** Items the destination said it did not take from a request that it took. */
  readonly partial: PartialSuccess | undefined;
  readonly refused: readonly RefusedPart[];
}

interface Findings {
  deliveredItems: number;
  partialItems: number;
  partialMessage: string;
  readonly refused: RefusedPart[];
}

/** One batch on its way, with all its parts. */
interface Delivery {
  readonly deadlineMs: number;
  readonly findings: Findings;
  readonly isSentAgain: boolean;
}

/** Halving stops here; 2^24 items in one request are more than any size limit lets through. */
const HALVINGS_MAX = 24;

/**
 * Saves what can be saved of a batch that a destination refuses for good.
 *
 * A merged batch is taken apart into the requests it was made of, so that one bad sender costs
 * nobody else anything; a batch that is too large is halved until its parts fit. What remains
 * refused is reported as such.
 *
 * When one part may be sent again later and somebody will, the whole batch is: duplicates are better
 * than losses. Nobody will where the senders were acknowledged before, by the sending queue or by
 * whatever merged their requests: there the part alone is lost, and the others count as delivered.
 */
export class Salvage implements DeliveryStep<Outcome> {
  readonly #next: DeliveryStep<PartialSuccess | undefined>;
  readonly #isSenderWaiting: boolean;

  /** @param isSenderWaiting whether an error reaches whoever sent a batch that was not merged */
  constructor(next: DeliveryStep<PartialSuccess | undefined>, isSenderWaiting: boolean) {
    this.#next = next;
    this.#isSenderWaiting = isSenderWaiting;
  }

  async deliver(batch: Batch, deadlineMs: number): Promise<Outcome> {
    const findings: Findings = {
      deliveredItems: 0,
      partialItems: 0,
      partialMessage: "",
      refused: [],
    };
    const isSentAgain = this.#isSenderWaiting && batch.mergedFrom.length < 2;
    await this.#deliver(batch, { deadlineMs, findings, isSentAgain }, 0);
    const { deliveredItems, partialItems, partialMessage, refused } = findings;
    const worst = refused.find(({ error }) => error instanceof RetryableError) ?? refused[0];
    if (worst !== undefined && deliveredItems + partialItems === 0) throw worst.error;
    const hasPartial = partialItems > 0 || partialMessage !== "";
    const partial = hasPartial
      ? { rejectedItems: partialItems, errorMessage: partialMessage }
      : undefined;
    return { deliveredItems, partial, refused };
  }

  async #deliver(batch: Batch, delivery: Delivery, halvings: number): Promise<void> {
    const { deadlineMs, findings, isSentAgain } = delivery;
    try {
      note(findings, batch, await this.#next.deliver(batch, deadlineMs));
    } catch (error) {
      if (!(error instanceof PermanentError)) throw error;
      const parts = partsWorthTrying(batch, error, halvings);
      if (parts.length === 0) {
        findings.refused.push({ items: batch.itemCount, error });
        return;
      }
      let retryable: RetryableError | undefined;
      for (const part of parts) {
        try {
          await this.#deliver(part, delivery, halvings + 1);
        } catch (partError) {
          if (!(partError instanceof RetryableError)) throw partError;
          if (isSentAgain) retryable = partError;
          else findings.refused.push({ items: part.itemCount, error: partError });
        }
      }
      if (retryable !== undefined) throw retryable;
    }
  }
}

function note(findings: Findings, batch: Batch, partial: PartialSuccess | undefined): void {
  const rejected = Math.min(partial?.rejectedItems ?? 0, batch.itemCount);
  findings.partialItems += rejected;
  findings.deliveredItems += batch.itemCount - rejected;
  if (partial !== undefined && partial.errorMessage !== "") {
    findings.partialMessage = partial.errorMessage;
  }
}

/** Parts that have a chance where the whole had none; empty when nothing would change. */
function partsWorthTrying(batch: Batch, error: PermanentError, halvings: number): readonly Batch[] {
  if (concernsEverySender.has(error.backendStatus?.grpcCode ?? GrpcCode.OK)) return [];
  if (batch.mergedFrom.length > 1) return batch.mergedFrom;
  if (error.code !== "BATCH_TOO_LARGE" || batch.itemCount < 2 || halvings >= HALVINGS_MAX) {
    return [];
  }
  const maxItems = Math.ceil(batch.itemCount / 2);
  const parts = splitRequest(batch.signal, batch.bytes, { maxItems });
  // A split that splits nothing would be sent again and again.
  if (parts.length < 2) return [];
  const { signal, origin } = batch;
  return parts.map(({ chunks, itemCount }) => new Batch({ signal, origin, chunks, itemCount }));
}

/** Verdicts that are not about the data: every part would get the same. */
const concernsEverySender: ReadonlySet<number> = new Set([
  GrpcCode.UNAUTHENTICATED,
  GrpcCode.PERMISSION_DENIED,
  GrpcCode.UNIMPLEMENTED,
  GrpcCode.NOT_FOUND,
]);
