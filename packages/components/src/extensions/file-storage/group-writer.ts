import { type Clock, RetryableError, type Timer } from "@inode-gateway/contract";
import type { RecordSpace } from "./data-file.js";
import { KEY_BYTES } from "./record-format.js";
import type { WritingThread, WrittenAnswer } from "./writing-thread.js";

/** Bytes that wait for their transaction; more is refused at once. */
const WAITING_BYTES_MAX = 134_217_728;
/** Bytes of one transaction; more waits for the next. */
const GROUP_BYTES_MAX = 8_388_608;
/** Appends or removals of one transaction. */
const GROUP_RECORDS_MAX = 4_096;
/** How long after a removal that failed the next is tried when nothing else is written. */
const REMOVE_RETRY_MS = 1_000;

const CLOSED = "the storage is shut down";

/** One record on its way to the disk. */
export interface Append {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** What it takes until it is removed. */
  readonly space: RecordSpace;
}

/** What the writer's owner must know of. */
export interface GroupWriterObserver {
  /** Records are gone from the file, or were never in it: their space is free. */
  freed(removed: RecordSpace): void;
  /** One transaction is over; `stored` records are durable now. */
  written(durationMs: number, stored: number): void;
  appendFailed(records: number, reason: string): void;
  removeFailed(records: number, reason: string): void;
  /** The writing thread has ended by itself; nothing can be written any more. */
  died(reason: string): void;
}

interface PendingAppend extends Append {
  readonly deadlineMs: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  /** Its sender was told that it failed: it must not stay in the file. */
  isRefused: boolean;
}

interface PendingRemoval {
  readonly key: Uint8Array;
  /** Told once, for the last of those that were removed together. */
  readonly settle: ((failure?: string) => void) | undefined;
}

interface Group {
  readonly appends: readonly PendingAppend[];
  readonly removals: readonly PendingRemoval[];
}

/**
 * Gathers what is to be written while the transaction before is on its way, and gives it to the
 * writing thread as one: the more load, the more records share one flush to the disk.
 */
export class GroupWriter {
  readonly #thread: WritingThread;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #observer: GroupWriterObserver;
  #appends: PendingAppend[] = [];
  #waitingBytes = 0;
  #removals: PendingRemoval[] = [];
  #inFlight: Group | undefined;
  #isScheduled = false;
  #isClosing = false;
  #deathReason: string | undefined;
  #deadlineTimer: Timer | undefined;
  #retryTimer: Timer | undefined;
  #idleWaiters: (() => void)[] = [];

  constructor(
    thread: WritingThread,
    clock: Clock,
    timeoutMs: number,
    observer: GroupWriterObserver,
  ) {
    this.#thread = thread;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#observer = observer;
    thread.listen({
      written: (answer) => this.#finish(answer),
      ended: (reason) => this.#end(reason),
    });
  }

  /** Resolves when the record is durable. @throws RetryableError `STORAGE_FAILED` */
  append(append: Append): Promise<void> {
    return new Promise((resolve, reject) => {
      const deadlineMs = this.#clock.nowMs() + this.#timeoutMs;
      const pending = { ...append, deadlineMs, resolve, reject, isRefused: false };
      const refusal = this.#refusal(append.value.byteLength);
      if (refusal !== undefined) return this.#refuse([pending], refusal, true);
      this.#appends.push(pending);
      this.#waitingBytes += append.value.byteLength;
      this.#watchDeadline();
      this.#schedule();
    });
  }

  /**
   * Resolves when they are gone.
   *
   * @throws Error when that fails or takes longer than the timeout; it is tried again until the writer
   *   is closed, and what is left then may come back
   */
  remove(keys: readonly Uint8Array[]): Promise<void> {
    const last = keys.length - 1;
    if (last < 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (this.#isClosing || this.#deathReason !== undefined) {
        reject(removalError(this.#deathReason ?? CLOSED));
        return;
      }
      const timer = this.#clock.setTimer(this.#timeoutMs, () => reject(removalError(this.#late())));
      const settle = (failure?: string) => {
        timer.cancel();
        if (failure === undefined) resolve();
        else reject(removalError(failure));
      };
      for (const [index, key] of keys.entries()) {
        // Removals stay in order, so the last is done when all are.
        this.#removals.push({ key, settle: index === last ? settle : undefined });
      }
      this.#schedule();
    });
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Removals that did not happen yet. */
  get pendingRemovals(): number {
    return this.#removals.length + (this.#inFlight?.removals.length ?? 0);
  }

  /** Closes the file after what is under way; resolves when the thread is gone. */
  async close(): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true;
      this.#retryTimer?.cancel();
      this.#refuse(this.#takeWaiting(this.#appends.length), CLOSED, true);
      for (const { settle } of this.#removals.splice(0)) settle?.(CLOSED);
    }
    await this.#thread.close();
  }

  #isIdle(): boolean {
    const hasWork = this.#appends.length > 0 || this.#removals.length > 0;
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
    if (this.#inFlight !== undefined || this.#isClosing || this.#deathReason !== undefined) return;
    const appends = this.#takeAppends();
    const removals = this.#removals.splice(0, GROUP_RECORDS_MAX);
    if (appends.length === 0 && removals.length === 0) return;
    this.#retryTimer?.cancel();
    this.#inFlight = { appends, removals };
    this.#thread.write({
      putKeys: joinKeys(appends),
      values: appends.map(({ value }) => value),
      removeKeys: joinKeys(removals),
    });
  }

  #takeAppends(): PendingAppend[] {
    let bytes = 0;
    let count = 0;
    for (const { value } of this.#appends) {
      bytes += value.byteLength;
      if (count > 0 && (bytes > GROUP_BYTES_MAX || count === GROUP_RECORDS_MAX)) break;
      count++;
    }
    return this.#takeWaiting(count);
  }

  #takeWaiting(count: number): PendingAppend[] {
    const taken = this.#appends.splice(0, count);
    for (const { value } of taken) this.#waitingBytes -= value.byteLength;
    return taken;
  }

  #refusal(byteLength: number): string | undefined {
    if (this.#deathReason !== undefined) return this.#deathReason;
    if (this.#isClosing) return CLOSED;
    if (this.#waitingBytes === 0 || this.#waitingBytes + byteLength <= WAITING_BYTES_MAX) return;
    return `${this.#waitingBytes} bytes wait for the disk, at most ${WAITING_BYTES_MAX} may`;
  }

  #finish(answer: WrittenAnswer): void {
    const group = this.#inFlight;
    if (group === undefined) return;
    this.#inFlight = undefined;
    const stored = answer.appendFailure === undefined ? group.appends.length : 0;
    this.#observer.written(answer.durationMs, stored);
    this.#finishAppends(group.appends, answer.appendFailure);
    if (answer.removed.records > 0) this.#observer.freed(answer.removed);
    if (answer.removeFailure === undefined) {
      for (const { settle } of group.removals) settle?.();
    } else this.#removeLater(group.removals, answer.removeFailure);
    if (this.#retryTimer === undefined || this.#appends.length > 0) this.#send();
    this.#noteIdle();
  }

  #finishAppends(appends: readonly PendingAppend[], failure: string | undefined): void {
    if (failure !== undefined) {
      this.#refuse(appends, failure, true);
      return;
    }
    for (const append of appends) {
      // It was refused when its time ran out, and its sender comes again: it must not stay.
      if (append.isRefused) this.#removals.push({ key: append.key, settle: undefined });
      else append.resolve();
    }
  }

  #removeLater(removals: readonly PendingRemoval[], reason: string): void {
    this.#observer.removeFailed(removals.length, reason);
    for (const { settle } of removals) settle?.(reason);
    this.#removals.unshift(...removals.map(({ key }) => ({ key, settle: undefined })));
    this.#retryTimer = this.#clock.setTimer(REMOVE_RETRY_MS, () => {
      this.#retryTimer = undefined;
      this.#send();
    });
  }

  /** @param isOver whether their space is free from now on: they are not in the file and never will be */
  #refuse(appends: readonly PendingAppend[], reason: string, isOver: boolean): void {
    let records = 0;
    let bytes = 0;
    let refused = 0;
    for (const append of appends) {
      records += append.space.records;
      bytes += append.space.bytes;
      if (append.isRefused) continue;
      append.isRefused = true;
      refused++;
      append.reject(new RetryableError("STORAGE_FAILED", `a record was not stored: ${reason}`));
    }
    if (isOver && appends.length > 0) this.#observer.freed({ records, bytes });
    if (refused > 0) this.#observer.appendFailed(refused, reason);
  }

  /** One timer for all: appends are refused in the order in which they came. */
  #watchDeadline(): void {
    if (this.#deadlineTimer !== undefined) return;
    const oldest = this.#oldestAppend();
    if (oldest === undefined) return;
    const delayMs = Math.max(0, oldest.deadlineMs - this.#clock.nowMs());
    this.#deadlineTimer = this.#clock.setTimer(delayMs, () => {
      this.#deadlineTimer = undefined;
      this.#refuseLate();
      this.#watchDeadline();
    });
  }

  #oldestAppend(): PendingAppend | undefined {
    return this.#inFlight?.appends.find(({ isRefused }) => !isRefused) ?? this.#appends[0];
  }

  #refuseLate(): void {
    const nowMs = this.#clock.nowMs();
    const isLate = ({ deadlineMs }: PendingAppend) => deadlineMs <= nowMs;
    const reason = this.#late();
    this.#refuse(this.#inFlight?.appends.filter(isLate) ?? [], reason, false);
    const firstInTime = this.#appends.findIndex((append) => !isLate(append));
    const late = this.#takeWaiting(firstInTime < 0 ? this.#appends.length : firstInTime);
    this.#refuse(late, reason, true);
  }

  #late(): string {
    return `it took longer than \`timeout\`, which is ${this.#timeoutMs} ms`;
  }

  /** The thread is gone: when nobody told it to go, or something was under way, that is said. */
  #end(reason: string): void {
    this.#deadlineTimer?.cancel();
    const group = this.#inFlight;
    this.#deathReason = reason;
    this.#inFlight = undefined;
    this.#refuse(group?.appends ?? [], reason, false);
    this.#refuse(this.#takeWaiting(this.#appends.length), reason, true);
    const removals = [...(group?.removals ?? []), ...this.#removals.splice(0)];
    for (const { settle } of removals) settle?.(reason);
    if (!this.#isClosing || group !== undefined) this.#observer.died(reason);
    this.#noteIdle();
  }

  #noteIdle(): void {
    if (!this.#isIdle()) return;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }
}

function removalError(reason: string): Error {
  return new Error(`delivered records are still on disk and may be delivered again: ${reason}`);
}

function joinKeys(entries: readonly { readonly key: Uint8Array }[]): Uint8Array {
  const joined = new Uint8Array(entries.length * KEY_BYTES);
  for (const [index, { key }] of entries.entries()) joined.set(key, index * KEY_BYTES);
  return joined;
}
