import { type Clock, RetryableError, type Timer } from "@inode-gateway/contract";
import type { RecordSpace } from "./data-file.js";

/** Bytes that wait for their transaction; more is refused at once. */
const WAITING_BYTES_MAX = 134_217_728;
/** Bytes of one transaction; more waits for the next. */
const GROUP_BYTES_MAX = 8_388_608;
/** Appends of one transaction. */
const GROUP_RECORDS_MAX = 4_096;

/** One record on its way to the disk. */
export interface Append {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** What it takes until it is removed. */
  readonly space: RecordSpace;
}

/** Who must know what becomes of appends. */
export interface AppendObserver {
  /** Records are gone from the file, or were never in it: their space is free. */
  freed(removed: RecordSpace): void;
  appendFailed(records: number, reason: string): void;
}

interface PendingAppend extends Append {
  readonly deadlineMs: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  /** Its sender was told that it failed: it must not stay in the file. */
  isRefused: boolean;
}

/** Appends that wait for the writing thread or are with it; each is refused when its time is over. */
export class PendingAppends {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #observer: AppendObserver;
  #waiting: PendingAppend[] = [];
  #waitingBytes = 0;
  #inFlight: readonly PendingAppend[] = [];
  #timer: Timer | undefined;

  constructor(clock: Clock, timeoutMs: number, observer: AppendObserver) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#observer = observer;
  }

  /** How many wait for the writing thread. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /**
   * Resolves when the record is durable.
   *
   * @param refusal why it is refused at once, if it is
   * @throws RetryableError `STORAGE_FAILED`
   */
  add(append: Append, refusal = this.#refusal(append.value.byteLength)): Promise<void> {
    return new Promise((resolve, reject) => {
      const deadlineMs = this.#clock.nowMs() + this.#timeoutMs;
      const pending = { ...append, deadlineMs, resolve, reject, isRefused: false };
      if (refusal !== undefined) return this.#refuse([pending], refusal, true);
      this.#waiting.push(pending);
      this.#waitingBytes += append.value.byteLength;
      this.#watchDeadline();
    });
  }

  /** Those of the next transaction, oldest first; from now on they are with the thread. */
  take(): readonly Append[] {
    let bytes = 0;
    let count = 0;
    for (const { value } of this.#waiting) {
      bytes += value.byteLength;
      if (count > 0 && (bytes > GROUP_BYTES_MAX || count === GROUP_RECORDS_MAX)) break;
      count++;
    }
    this.#inFlight = this.#takeWaiting(count);
    return this.#inFlight;
  }

  /**
   * What is with the thread is durable.
   *
   * @returns the keys of those that were refused when their time ran out: their senders come again, so
   *   that they must not stay
   */
  stored(): readonly Uint8Array[] {
    const unwanted: Uint8Array[] = [];
    for (const append of this.#takeInFlight()) {
      if (append.isRefused) unwanted.push(append.key);
      else append.resolve();
    }
    return unwanted;
  }

  /** Nothing of what is with the thread is in the file. */
  failed(reason: string): void {
    this.#refuse(this.#takeInFlight(), reason, true);
  }

  /** The thread is gone: nobody knows whether what was with it is in the file. */
  lost(reason: string): void {
    this.#timer?.cancel();
    this.#refuse(this.#takeInFlight(), reason, false);
    this.refuseWaiting(reason);
  }

  refuseWaiting(reason: string): void {
    this.#refuse(this.#takeWaiting(this.#waiting.length), reason, true);
  }

  #refusal(byteLength: number): string | undefined {
    if (this.#waitingBytes === 0 || this.#waitingBytes + byteLength <= WAITING_BYTES_MAX) return;
    return `${this.#waitingBytes} bytes wait for the disk, at most ${WAITING_BYTES_MAX} may`;
  }

  #takeWaiting(count: number): PendingAppend[] {
    const taken = this.#waiting.splice(0, count);
    for (const { value } of taken) this.#waitingBytes -= value.byteLength;
    return taken;
  }

  #takeInFlight(): readonly PendingAppend[] {
    const taken = this.#inFlight;
    this.#inFlight = [];
    return taken;
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
    if (this.#timer !== undefined) return;
    const oldest = this.#inFlight.find(({ isRefused }) => !isRefused) ?? this.#waiting[0];
    if (oldest === undefined) return;
    const delayMs = Math.max(0, oldest.deadlineMs - this.#clock.nowMs());
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      this.#refuseLate();
      this.#watchDeadline();
    });
  }

  #refuseLate(): void {
    const nowMs = this.#clock.nowMs();
    const isLate = ({ deadlineMs }: PendingAppend) => deadlineMs <= nowMs;
    const reason = tooLate(this.#timeoutMs);
    this.#refuse(this.#inFlight.filter(isLate), reason, false);
    const firstInTime = this.#waiting.findIndex((append) => !isLate(append));
    const late = this.#takeWaiting(firstInTime < 0 ? this.#waiting.length : firstInTime);
    this.#refuse(late, reason, true);
  }
}

/** Why something that takes too long is given up. */
export function tooLate(timeoutMs: number): string {
  return `it took longer than \`timeout\`, which is ${timeoutMs} ms`;
}
