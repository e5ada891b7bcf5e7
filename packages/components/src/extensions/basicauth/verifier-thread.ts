import { Worker } from "node:worker_threads";
import type { Clock } from "@inode-gateway/contract";
import type { StoredPassword } from "./stored-password.js";
import type { VerifyRequest } from "./verify-worker.js";

/** Above the slowest hash that is accepted, on a machine that has much else to do. */
export const VERIFY_TIMEOUT_MS = 15_000;

/** Heap of the thread; a check needs a few kilobytes. */
const THREAD_HEAP_MIB = 16;

/** The thread was stopped, failed, or did not answer in time. */
export class VerifierError extends Error {
  override readonly name = "VerifierError";
}

/**
 * Checks passwords on a thread of its own, one after another: a bcrypt of cost 10 takes 60 ms, during
 * which the thread that serves requests would serve nobody.
 *
 * The thread begins with the first check, and after a failure begins anew with the next.
 */
export class VerifierThread {
  readonly #clock: Clock;
  #worker: Worker | undefined;
  #giveUp: ((error: VerifierError) => void) | undefined;
  #isStopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Whether a password is the stored one. One call at a time.
   *
   * @throws VerifierError when the thread fails, is stopped, or takes longer than {@link VERIFY_TIMEOUT_MS}
   */
  async verify(password: string, stored: StoredPassword): Promise<boolean> {
    if (this.#isStopped) throw new VerifierError("the extension is stopping");
    this.#worker ??= this.#begin();
    const worker = this.#worker;
    try {
      return await this.#ask(worker, { password, stored });
    } catch (error) {
      if (this.#worker === worker) this.#worker = undefined;
      await worker.terminate();
      throw error;
    }
  }

  /** Ends the thread; a check under way fails. Safe twice. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#giveUp?.(new VerifierError("the extension is stopping"));
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  #begin(): Worker {
    const worker = new Worker(new URL("./verify-worker.js", import.meta.url), {
      // Nothing of the process's own: neither its arguments nor its environment hold what it needs.
      argv: [],
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MIB },
    });
    worker.unref();
    worker.on("error", (error) => {
      this.#giveUp?.(new VerifierError(`the thread failed: ${error.message}`));
    });
    return worker;
  }

  #ask(worker: Worker, request: VerifyRequest): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        timer.cancel();
        worker.off("message", answered);
        this.#giveUp = undefined;
      };
      const answered = (isMatch: boolean) => {
        settle();
        resolve(isMatch);
      };
      this.#giveUp = (error) => {
        settle();
        reject(error);
      };
      const timer = this.#clock.setTimer(VERIFY_TIMEOUT_MS, () => {
        this.#giveUp?.(new VerifierError(`no answer within ${VERIFY_TIMEOUT_MS} ms`));
      });
      worker.on("message", answered);
      worker.postMessage(request);
    });
  }
}
