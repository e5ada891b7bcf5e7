import type { InodeKey, LookupAnswer } from "../container-registry.js";
import type { RegistryClock } from "../registry-options.js";

/** How long keys are collected before they are asked for together. */
export const collectMs = 1;
/** As many collected keys do not wait for the time to be over. */
export const keysPerRoundTrip = 1_024;
/** Keys collected or asked for; beyond it the answer is `unavailable`. */
export const pendingKeysMax = 65_536;

/** Where an answer goes. */
interface Waiter {
  readonly request: LookupRequest;
  readonly index: number;
}

interface PendingKey {
  readonly key: InodeKey;
  readonly waiters: Waiter[];
  isAsked: boolean;
  /** A publication came while the question was on its way: the answer is not to be remembered. */
  isOutdated: boolean;
}

/** One caller's keys: resolves when the last of them is answered. */
export class LookupRequest {
  readonly answers: Promise<LookupAnswer[]>;
  readonly #answers: LookupAnswer[];
  #missingCount: number;
  #resolve: (answers: LookupAnswer[]) => void = () => {};

  constructor(keyCount: number) {
    this.#answers = new Array(keyCount);
    this.#missingCount = keyCount;
    this.answers = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    if (keyCount === 0) this.#resolve(this.#answers);
  }

  /** Must be called once per index. */
  answer(index: number, answer: LookupAnswer): void {
    this.#answers[index] = answer;
    if (--this.#missingCount === 0) this.#resolve(this.#answers);
  }
}

/** What the batcher needs. */
export interface LookupBatcherSettings {
  readonly clock: RegistryClock;
  /** Asks in one round trip; answers in the order of the keys. Must not reject, and must end. */
  readonly ask: (keys: readonly InodeKey[]) => Promise<readonly LookupAnswer[]>;
  /** Called with every answer that may be remembered. */
  readonly remember: (key: InodeKey, answer: LookupAnswer) => void;
}

/** Collects keys for a millisecond, asks for them together, and asks for none of them twice. */
export class LookupBatcher {
  readonly #settings: LookupBatcherSettings;
  /** By boot ID and inode; the keys of one list differ in their device. */
  readonly #pending = new Map<string, PendingKey[]>();
  #collected: PendingKey[] = [];
  #pendingCount = 0;
  #timer: { cancel(): void } | undefined;

  constructor(settings: LookupBatcherSettings) {
    this.#settings = settings;
  }

  /** Answers `request` at `index` later, or at once when too many keys wait. */
  add(key: InodeKey, request: LookupRequest, index: number): void {
    const id = idOf(key);
    const sameInode = this.#pending.get(id) ?? [];
    const known = sameInode.find((pending) => pending.key.device === key.device);
    if (known !== undefined) {
      known.waiters.push({ request, index });
      return;
    }
    if (this.#pendingCount >= pendingKeysMax) {
      request.answer(index, { outcome: "unavailable" });
      return;
    }
    const waiters = [{ request, index }];
    const pending = { key, waiters, isAsked: false, isOutdated: false };
    this.#pending.set(id, [...sameInode, pending]);
    this.#pendingCount++;
    this.#collected.push(pending);
    if (this.#collected.length >= keysPerRoundTrip) this.#flush();
    else this.#timer ??= this.#settings.clock.setTimer(collectMs, () => this.#flush());
  }

  /** A question for this inode that is on its way may bring an answer from before: ask anew. */
  outdateInode(bootId: string, inode: number): void {
    for (const pending of this.#pending.get(idOf({ bootId, inode })) ?? []) this.#outdate(pending);
  }

  outdateNode(bootId: string): void {
    for (const sameInode of this.#pending.values()) {
      if (sameInode[0]?.key.bootId !== bootId) continue;
      for (const pending of sameInode) this.#outdate(pending);
    }
  }

  #outdate(pending: PendingKey): void {
    if (!pending.isAsked) return;
    pending.isOutdated = true;
    this.#forget(pending);
  }

  #forget(pending: PendingKey): void {
    const id = idOf(pending.key);
    const rest = this.#pending.get(id)?.filter((other) => other !== pending) ?? [];
    if (rest.length === 0) this.#pending.delete(id);
    else this.#pending.set(id, rest);
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const asked = this.#collected;
    this.#collected = [];
    for (const pending of asked) pending.isAsked = true;
    this.#settings.ask(asked.map((pending) => pending.key)).then(
      (answers) => this.#finish(asked, answers),
      () => this.#finish(asked, []),
    );
  }

  #finish(asked: readonly PendingKey[], answers: readonly LookupAnswer[]): void {
    for (const [position, pending] of asked.entries()) {
      const answer = answers[position] ?? { outcome: "unavailable" };
      this.#pendingCount--;
      // An outdated one has left the map already, perhaps to a younger question for the same key.
      if (!pending.isOutdated) {
        this.#forget(pending);
        this.#settings.remember(pending.key, answer);
      }
      for (const { request, index } of pending.waiters) request.answer(index, answer);
    }
  }
}

function idOf({ bootId, inode }: Pick<InodeKey, "bootId" | "inode">): string {
  return `${bootId} ${inode}`;
}
