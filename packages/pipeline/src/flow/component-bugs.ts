import {
  type Counter,
  isDeliveryError,
  type Logger,
  type PermanentError,
  type RetryableError,
} from "@inode-gateway/contract";
import { InternalError } from "./internal-error.js";

/**
 * Catches the bugs of one component: the first is logged with its stack, every one is counted.
 *
 * One line is enough to find it, and a bug that every batch runs into must not flood the log.
 */
export class ComponentBugs {
  readonly #name: string;
  readonly #logger: Logger;
  readonly #counter: Counter;
  #isLogged = false;

  /** @param name the component as a person calls it, such as `processor "batch"` */
  constructor(name: string, logger: Logger, counter: Counter) {
    this.#name = name;
    this.#logger = logger;
    this.#counter = counter;
  }

  /** Passes on what a consumer may reject with, and what was caught before; the rest is reported. */
  translate(error: unknown): PermanentError | RetryableError | InternalError {
    if (isDeliveryError(error) || error instanceof InternalError) return error;
    this.report(error, "consume a batch");
    return new InternalError(`internal error in ${this.#name}`, { cause: error });
  }

  /** @param doing what the component was at, as `task` in the log */
  report(error: unknown, doing: string): void {
    if (error instanceof InternalError) return;
    this.#counter.add(1);
    if (this.#isLogged) return;
    this.#isLogged = true;
    this.#logger.error(
      "component failed with an error that is a bug, further ones are only counted",
      {
        error,
        task: doing,
      },
    );
  }
}
