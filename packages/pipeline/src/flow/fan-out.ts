import type { Batch, Consumer } from "@inode-gateway/contract";
import { combineErrors } from "./combine-errors.js";

/** One way out of a fan-out. */
export interface Branch {
  readonly consumer: Consumer;
  /** Where it leads, for messages, such as `exporter "otlp_grpc"`. */
  readonly name: string;
}

/**
 * Gives every batch to all branches at the same time and waits for all of them.
 *
 * When any branch rejects, so does the fan-out, after all have answered: the branches are not stopped by
 * one another, and the error does not depend on which was faster.
 */
export class FanOut implements Consumer {
  offered = 0;
  inFlight = 0;
  readonly #branches: readonly Branch[];
  readonly #deliveredButRefused: number[];

  constructor(branches: readonly Branch[]) {
    this.#branches = branches;
    this.#deliveredButRefused = branches.map(() => 0);
  }

  /** Items that a branch accepted while another refused them: the sender will send them again. */
  deliveredButRefused(branch: number): number {
    return this.#deliveredButRefused[branch] ?? 0;
  }

  async consume(batch: Batch): Promise<void> {
    const items = batch.itemCount;
    this.offered += items;
    this.inFlight += items;
    try {
      const answers = await Promise.allSettled(
        this.#branches.map(async ({ consumer }) => consumer.consume(batch)),
      );
      if (answers.some(({ status }) => status === "rejected")) throw this.#refuse(answers, items);
    } finally {
      this.inFlight -= items;
    }
  }

  #refuse(answers: readonly PromiseSettledResult<void>[], items: number): unknown {
    const failures: { branch: string; error: unknown }[] = [];
    for (const [index, answer] of answers.entries()) {
      if (answer.status === "fulfilled") {
        this.#deliveredButRefused[index] = this.deliveredButRefused(index) + items;
      } else {
        failures.push({ branch: this.#branches[index]?.name ?? "", error: answer.reason });
      }
    }
    return combineErrors(failures);
  }
}

/** The consumer that reaches all branches; a single one is reached without anything in between. */
export function fanOut(branches: readonly Branch[]): Consumer {
  const [first] = branches;
  return first !== undefined && branches.length === 1 ? first.consumer : new FanOut(branches);
}
