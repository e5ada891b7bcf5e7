import type { Clock, Timer } from "@inode-gateway/contract";
import { tooLate } from "./pending-appends.js";

/** Removals of one transaction. */
const GROUP_RECORDS_MAX = 4_096;
/** How long after a removal that failed the next is tried when nothing else is written. */
const REMOVE_RETRY_MS = 1_000;

/** One record that is to be removed. */
export interface PendingRemoval {
  readonly key: Uint8Array;
  /** Told once, for the last of those that were removed together. */
  readonly settle: ((failure?: string) => void) | undefined;
}

/** Records that are to be removed, in order; as many as there are in the file at most. */
export class PendingRemovals {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #onRetry: () => void;
  #waiting: PendingRemoval[] = [];
  #retryTimer: Timer | undefined;

  /** @param onRetry called when what failed is to be tried again */
  constructor(clock: Clock, timeoutMs: number, onRetry: () => void) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#onRetry = onRetry;
  }

  get count(): number {
    return this.#waiting.length;
  }

  /** Whether there are any, and the last attempt is not too fresh a failure. */
  get isDue(): boolean {
    return this.#waiting.length > 0 && this.#retryTimer === undefined;
  }

  /**
   * Resolves when all of them are gone.
   *
   * @param keys at least one
   * @throws Error when that fails or takes longer than the timeout; it is tried again all the same
   */
  add(keys: readonly Uint8Array[]): Promise<void> {
    const last = keys.length - 1;
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimer(this.#timeoutMs, () =>
        reject(removalError(tooLate(this.#timeoutMs))),
      );
      const settle = (failure?: string) => {
        timer.cancel();
        if (failure === undefined) resolve();
        else reject(removalError(failure));
      };
      for (const [index, key] of keys.entries()) {
        // Removals stay in order, so the last is done when all are.
        this.#waiting.push({ key, settle: index === last ? settle : undefined });
      }
    });
  }

  /** For whom nobody waits. */
  addUnwanted(keys: readonly Uint8Array[]): void {
    for (const key of keys) this.#waiting.push({ key, settle: undefined });
  }

  /** Those of the next transaction, oldest first. */
  take(): readonly PendingRemoval[] {
    this.#retryTimer?.cancel();
    this.#retryTimer = undefined;
    return this.#waiting.splice(0, GROUP_RECORDS_MAX);
  }

  /** An attempt has failed: the next comes with whatever else is written, or after a while. */
  putBack(removals: readonly PendingRemoval[], reason: string): void {
    for (const { settle } of removals) settle?.(reason);
    this.#waiting.unshift(...removals.map(({ key }) => ({ key, settle: undefined })));
    this.#retryTimer?.cancel();
    this.#retryTimer = this.#clock.setTimer(REMOVE_RETRY_MS, () => {
      this.#retryTimer = undefined;
      this.#onRetry();
    });
  }

  /** Nothing is removed any more. */
  end(reason: string): void {
    for (const { settle } of this.take()) settle?.(reason);
    for (const { settle } of this.#waiting.splice(0)) settle?.(reason);
  }
}

/** What whoever removes is told of a failure. */
export function removalError(reason: string): Error {
  return new Error(`delivered records are still on disk and may be delivered again: ${reason}`);
}
