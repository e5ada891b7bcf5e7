import type { Clock } from "@inode-gateway/contract";
import { type Append, type AppendObserver, PendingAppends } from "./pending-appends.js";
import { type PendingRemoval, PendingRemovals, removalError } from "./pending-removals.js";
import { KEY_BYTES } from "./record-format.js";
import type { WritingThread, WrittenAnswer } from "./writing-thread.js";

const CLOSED = "the storage is shut down";

/** What the writer's owner must know of. */
export interface GroupWriterObserver extends AppendObserver {
  /** One transaction is over; `stored` records are durable now. */
  written(durationMs: number, stored: number): void;
  removeFailed(records: number, reason: string): void;
  /** The writing thread has ended by itself; nothing can be written any more. */
  died(reason: string): void;
}

/** What is with the writing thread. */
interface Group {
  readonly appendCount: number;
  readonly removals: readonly PendingRemoval[];
}

/**
 * Gathers what is to be written while the transaction before is on its way, and gives it to the
 * writing thread as one: the more load, the more records share one flush to the disk.
 */
export class GroupWriter {
  readonly #thread: Pick<WritingThread, "close" | "listen" | "write">;
  readonly #observer: GroupWriterObserver;
  readonly #appends: PendingAppends;
  readonly #removals: PendingRemovals;
  #inFlight: Group | undefined;
  #isScheduled = false;
  #isClosing = false;
  #deathReason: string | undefined;
  #idleWaiters: (() => void)[] = [];

  constructor(
    thread: Pick<WritingThread, "close" | "listen" | "write">,
    clock: Clock,
    timeoutMs: number,
    observer: GroupWriterObserver,
  ) {
    this.#thread = thread;
    this.#observer = observer;
    this.#appends = new PendingAppends(clock, timeoutMs, observer);
    this.#removals = new PendingRemovals(clock, timeoutMs, () => this.#send());
    thread.listen({
      written: (answer) => this.#finish(answer),
      ended: (reason) => this.#end(reason),
    });
  }

  /** Resolves when the record is durable. @throws RetryableError `STORAGE_FAILED` */
  append(append: Append): Promise<void> {
    const appended = this.#appends.add(append, this.#endReason);
    this.#schedule();
    return appended;
  }

  /**
   * Resolves when they are gone.
   *
   * @throws Error when that fails or takes longer than the timeout; it is tried again until the writer
   *   is closed, and what is left then may come back
   */
  remove(keys: readonly Uint8Array[]): Promise<void> {
    if (keys.length === 0) return Promise.resolve();
    const reason = this.#endReason;
    if (reason !== undefined) return Promise.reject(removalError(reason));
    const removed = this.#removals.add(keys);
    this.#schedule();
    return removed;
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Removals that did not happen yet. */
  get pendingRemovals(): number {
    return this.#removals.count + (this.#inFlight?.removals.length ?? 0);
  }

  /** Closes the file after what is under way; resolves when the thread is gone. */
  async close(): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true;
      this.#appends.refuseWaiting(CLOSED);
      this.#removals.end(CLOSED);
    }
    await this.#thread.close();
  }

  /** Why nothing is taken any more; undefined while something is. */
  get #endReason(): string | undefined {
    return this.#deathReason ?? (this.#isClosing ? CLOSED : undefined);
  }

  #isIdle(): boolean {
    const hasWork = this.#appends.waitingCount > 0 || this.#removals.count > 0;
    return this.#inFlight === undefined && (!hasWork || this.#deathReason !== undefined);
  }

  /** What is asked for in one turn goes into one transaction. */
  #schedule(): void {
    if (this.#isScheduled || this.#inFlight !== undefined) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#send();
    });
  }

  #send(): void {
    if (this.#inFlight !== undefined || this.#endReason !== undefined) return;
    if (this.#appends.waitingCount === 0 && this.#removals.count === 0) return;
    const appends = this.#appends.take();
    const removals = this.#removals.take();
    this.#inFlight = { appendCount: appends.length, removals };
    this.#thread.write({
      putKeys: joinKeys(appends),
      values: appends.map(({ value }) => value),
      removeKeys: joinKeys(removals),
    });
  }

  #finish({ appendFailure, durationMs, removed, removeFailure }: WrittenAnswer): void {
    const group = this.#inFlight;
    if (group === undefined) return;
    this.#inFlight = undefined;
    this.#observer.written(durationMs, appendFailure === undefined ? group.appendCount : 0);
    if (appendFailure === undefined) this.#removals.addUnwanted(this.#appends.stored());
    else this.#appends.failed(appendFailure);
    if (removed.records > 0) this.#observer.freed(removed);
    if (removeFailure === undefined) {
      for (const { settle } of group.removals) settle?.();
    } else {
      this.#observer.removeFailed(group.removals.length, removeFailure);
      this.#removals.putBack(group.removals, removeFailure);
    }
    if (this.#appends.waitingCount > 0 || this.#removals.isDue) this.#send();
    this.#noteIdle();
  }

  /** The thread is gone: when nobody told it to go, or something was under way, that is said. */
  #end(reason: string): void {
    const group = this.#inFlight;
    this.#deathReason = reason;
    this.#inFlight = undefined;
    this.#appends.lost(reason);
    for (const { settle } of group?.removals ?? []) settle?.(reason);
    this.#removals.end(reason);
    if (!this.#isClosing || group !== undefined) this.#observer.died(reason);
    this.#noteIdle();
  }

  #noteIdle(): void {
    if (!this.#isIdle()) return;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }
}

function joinKeys(entries: readonly { readonly key: Uint8Array }[]): Uint8Array {
  const joined = new Uint8Array(entries.length * KEY_BYTES);
  for (const [index, { key }] of entries.entries()) joined.set(key, index * KEY_BYTES);
  return joined;
}
