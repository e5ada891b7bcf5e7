import {
  type Batch,
  type Consumer,
  type PermanentError,
  RetryableError,
} from "@inode-gateway/contract";
import { type BranchFailure, combineDeliveryErrors, combineErrors } from "./combine-errors.js";
import type { PartialDeliveries } from "./partial-deliveries.js";

/** One way out of a fan-out. */
export interface Branch {
  readonly consumer: Consumer;
  /** Where it leads, for messages, such as `exporter "otlp_grpc"`. */
  readonly name: string;
}

/**
 * Gives every batch to all branches at the same time and waits for all of them; all get it, or none.
 *
 * A batch that any branch refuses beforehand reaches no branch. When a branch rejects that did not say so
 * beforehand, the fan-out rejects after all have answered, and remembers which branches have the
 * batch: the sender's retry goes to the others only.
 */
export class FanOut implements Consumer {
  offered = 0;
  inFlight = 0;
  readonly #branches: readonly Branch[];
  readonly #deliveredButRefused: number[];
  readonly #partial: PartialDeliveries;

  /** @param partial what is remembered of retries; may be that of an earlier fan-out in this place */
  constructor(branches: readonly Branch[], partial: PartialDeliveries) {
    this.#branches = branches;
    this.#deliveredButRefused = branches.map(() => 0);
    this.#partial = partial;
  }

  /**
   * Items that a branch has while their sender was refused, because another branch refused them, and
   * that no retry has brought to the others yet.
   */
  deliveredButRefused(branch: number): number {
    return this.#deliveredButRefused[branch] ?? 0;
  }

  refusal(batch?: Batch): PermanentError | RetryableError | undefined {
    const error = this.#refusalOf(batch, undefined);
    if (error !== undefined && batch !== undefined) this.offered += batch.itemCount;
    return error;
  }

  async consume(batch: Batch): Promise<void> {
    const items = batch.itemCount;
    this.offered += items;
    this.inFlight += items;
    try {
      const having = this.#partial.size === 0 ? undefined : this.#partial.take(batch);
      const refusal = this.#refusalOf(batch, having);
      if (refusal !== undefined) {
        if (having !== undefined && refusal instanceof RetryableError) {
          this.#partial.remember(batch, having);
        }
        throw refusal;
      }
      const answers = await Promise.allSettled(
        this.#branches.map(async ({ consumer, name }) => {
          if (having === undefined || !having.has(name)) await consumer.consume(batch);
        }),
      );
      if (answers.some(({ status }) => status === "rejected")) {
        throw this.#refuse(batch, answers, having);
      }
      if (having !== undefined) this.#settle(items, having);
    } finally {
      this.inFlight -= items;
    }
  }

  // All are asked, so that the sender is told of all of them.
  #refusalOf(
    batch: Batch | undefined,
    having: ReadonlySet<string> | undefined,
  ): PermanentError | RetryableError | undefined {
    let failures: BranchFailure<PermanentError | RetryableError>[] | undefined;
    for (const branch of this.#branches) {
      if (having?.has(branch.name)) continue;
      const error = branch.consumer.refusal?.(batch);
      if (error === undefined) continue;
      failures ??= [];
      failures.push({ branch: branch.name, error });
    }
    return failures === undefined ? undefined : combineDeliveryErrors(failures);
  }

  #refuse(
    batch: Batch,
    answers: readonly PromiseSettledResult<void>[],
    having: ReadonlySet<string> | undefined,
  ): unknown {
    const failures: BranchFailure[] = [];
    const haveItNow = new Set<string>();
    for (const [index, { name }] of this.#branches.entries()) {
      const answer = answers[index];
      if (answer?.status === "rejected") {
        failures.push({ branch: name, error: answer.reason });
        continue;
      }
      haveItNow.add(name);
      if (!having?.has(name)) this.#addDelivered(index, batch.itemCount);
    }
    const error = combineErrors(failures);
    // Nobody sends again what was refused for good.
    if (haveItNow.size > 0 && error instanceof RetryableError) {
      this.#partial.remember(batch, haveItNow);
    }
    return error;
  }

  /** The others have it too now: its sender is not refused any more. */
  #settle(items: number, having: ReadonlySet<string>): void {
    for (const [index, { name }] of this.#branches.entries()) {
      if (having.has(name)) this.#addDelivered(index, -items);
    }
  }

  #addDelivered(branch: number, items: number): void {
    this.#deliveredButRefused[branch] = this.deliveredButRefused(branch) + items;
  }
}

/** The consumer that reaches all branches; a single one is reached without anything in between. */
export function fanOut(branches: readonly Branch[], partial: PartialDeliveries): Consumer {
  const [first] = branches;
  return first !== undefined && branches.length === 1
    ? first.consumer
    : new FanOut(branches, partial);
}
