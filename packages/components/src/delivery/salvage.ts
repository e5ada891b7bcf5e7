import { Batch, PermanentError, RetryableError } from "@inode-gateway/contract";
import { GrpcCode } from "@inode-gateway/grpc";
import { type PartialSuccess, splitRequest } from "@inode-gateway/otlp";
import { mergeMembers } from "../batching/merge-batches.js";
import type { DeliveryStep } from "./delivery-step.js";
import type { Outcome, RefusedPart } from "./outcome.js";

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
  readonly members: ReadonlySet<Batch>;
}

/** Halving stops here; 2^24 items in one request are more than any size limit lets through. */
const HALVINGS_MAX = 24;

/**
 * Saves what can be saved of a batch that a destination refuses for good.
 *
 * A merged batch is taken apart into the requests it was made of, so that one bad sender costs
 * nobody else anything; a batch that is too large is halved, first between the requests it was made
 * of, until its parts fit. What remains refused is reported, each part with the request it was in.
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
    const members = new Set(batch.mergedFrom);
    const isSentAgain = this.#isSenderWaiting && members.size < 2;
    try {
      await this.#deliver(batch, { deadlineMs, findings, isSentAgain, members }, batch, 0);
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
      const refused: RefusedPart[] = [];
      noteRefused(refused, batch, error, batch, members);
      return { deliveredItems: 0, partial: undefined, refused };
    }
    const { deliveredItems, partialItems, partialMessage, refused } = findings;
    const hasPartial = partialItems > 0 || partialMessage !== "";
    const partial = hasPartial
      ? { rejectedItems: partialItems, errorMessage: partialMessage }
      : undefined;
    return { deliveredItems, partial, refused };
  }

  /** @param member the request that `batch` is a part of, once there is only one */
  async #deliver(batch: Batch, delivery: Delivery, member: Batch, halvings: number): Promise<void> {
    const { deadlineMs, findings, isSentAgain, members } = delivery;
    try {
      note(findings, batch, await this.#next.deliver(batch, deadlineMs));
    } catch (error) {
      if (!(error instanceof PermanentError)) throw error;
      const parts = partsWorthTrying(batch, error, halvings);
      if (parts.length === 0) {
        noteRefused(findings.refused, batch, error, member, members);
        return;
      }
      let retryable: RetryableError | undefined;
      for (const part of parts) {
        const partMember = members.has(part) ? part : member;
        try {
          await this.#deliver(part, delivery, partMember, halvings + 1);
        } catch (partError) {
          if (!(partError instanceof RetryableError)) throw partError;
          if (isSentAgain) retryable = partError;
          else noteRefused(findings.refused, part, partError, partMember, members);
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

/** Puts a refused batch down, request by request where it is still made of several. */
function noteRefused(
  refused: RefusedPart[],
  batch: Batch,
  error: unknown,
  member: Batch,
  members: ReadonlySet<Batch>,
): void {
  const first = batch.mergedFrom[0];
  if (first !== undefined && members.has(first)) {
    for (const part of batch.mergedFrom) {
      refused.push({ items: part.itemCount, error, peer: part.origin.peer, member: part });
    }
    return;
  }
  refused.push({ items: batch.itemCount, error, peer: batch.origin.peer, member });
}

/** Parts that have a chance where the whole had none; empty when nothing would change. */
function partsWorthTrying(batch: Batch, error: PermanentError, halvings: number): readonly Batch[] {
  if (concernsEverySender.has(error.backendStatus?.grpcCode ?? GrpcCode.OK)) return [];
  const { mergedFrom } = batch;
  const isTooLarge = error.code === "BATCH_TOO_LARGE" && halvings < HALVINGS_MAX;
  if (mergedFrom.length > 1) {
    return isTooLarge && mergedFrom.length > 2 ? halvesOf(batch) : mergedFrom;
  }
  if (!isTooLarge || batch.itemCount < 2) return [];
  const maxItems = Math.ceil(batch.itemCount / 2);
  const parts = splitRequest(batch.signal, batch.bytes, { maxItems });
  // A split that splits nothing would be sent again and again.
  if (parts.length < 2) return [];
  const { signal, origin } = batch;
  return parts.map(({ chunks, itemCount }) => new Batch({ signal, origin, chunks, itemCount }));
}

function halvesOf({ mergedFrom, origin }: Batch): readonly Batch[] {
  const middle = Math.ceil(mergedFrom.length / 2);
  return [mergedFrom.slice(0, middle), mergedFrom.slice(middle)].flatMap(
    (members) => mergeMembers(members, origin.metadata) ?? [],
  );
}

/** Verdicts that are not about the data: every part would get the same. */
const concernsEverySender: ReadonlySet<number> = new Set([
  GrpcCode.UNAUTHENTICATED,
  GrpcCode.PERMISSION_DENIED,
  GrpcCode.UNIMPLEMENTED,
  GrpcCode.NOT_FOUND,
]);
