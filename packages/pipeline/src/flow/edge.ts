import type { Batch, Consumer, PermanentError, RetryableError } from "@inode-gateway/contract";
import type { ComponentBugs } from "./component-bugs.js";

/**
 * The way into one consumer, with a count of the items that took it.
 *
 * At every moment `offered` = accepted + `refused` + `inFlight`. The counts are plain numbers, bound when
 * the graph is built: counting costs three additions a batch.
 */
export class Edge implements Consumer {
  /** Items of all batches that came this way. */
  offered = 0;
  /** Items of the batches that the consumer rejected. */
  refused = 0;
  /** Items of the batches that the consumer has not answered yet. */
  inFlight = 0;
  readonly #target: Consumer;
  readonly #bugs: ComponentBugs;
  /** Batches under way, also those without any item. */
  #batches = 0;
  #onIdle: (() => void)[] | undefined;

  /** @param bugs those of the component that stands behind this edge */
  constructor(target: Consumer, bugs: ComponentBugs) {
    this.#target = target;
    this.#bugs = bugs;
  }

  /** Items of the batches that the consumer has taken over. */
  get accepted(): number {
    return this.offered - this.refused - this.inFlight;
  }

  refusal(batch?: Batch): PermanentError | RetryableError | undefined {
    let error: PermanentError | RetryableError | undefined;
    try {
      error = this.#target.refusal?.(batch);
    } catch (bug) {
      // It cannot tell beforehand; whether it takes the batch is its answer to `consume`.
      this.#bugs.report(bug, "refuse a batch beforehand");
    }
    if (error !== undefined && batch !== undefined) {
      this.offered += batch.itemCount;
      this.refused += batch.itemCount;
    }
    return error;
  }

  async consume(batch: Batch): Promise<void> {
    const items = batch.itemCount;
    this.offered += items;
    this.inFlight += items;
    this.#batches++;
    try {
      await this.#target.consume(batch);
    } catch (error) {
      this.refused += items;
      throw this.#bugs.translate(error);
    } finally {
      this.inFlight -= items;
      this.#batches--;
      if (this.#batches === 0 && this.#onIdle !== undefined) this.#becomeIdle(this.#onIdle);
    }
  }

  /** Resolves when no batch is under way behind this edge; a later one may begin in the same tick. */
  whenIdle(): Promise<void> {
    if (this.#batches === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle ??= [];
      this.#onIdle.push(resolve);
    });
  }

  #becomeIdle(waiting: readonly (() => void)[]): void {
    this.#onIdle = undefined;
    for (const resolve of waiting) resolve();
  }
}
