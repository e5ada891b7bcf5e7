import type { Batch, ComponentSettings, Host, Ledger, Signal } from "@inode-gateway/contract";
import { LogInterval } from "../transport/log-interval.js";
import { failureFields } from "./failure-fields.js";
import { Fifo } from "./fifo.js";
import { PersistentBacklog, type StoredQueue } from "./persistent-backlog.js";
import type { QueueEntry } from "./queue-entry.js";
import { UnknownRecordVersionError } from "./record-format.js";

/** What the queue does with entries that its disk has, or has not. */
export interface EntryOwner {
  /** The disk has it, and everything that was stored before it has been let in. */
  onStored(entry: QueueEntry): void;
  /** It cannot be read; the ledger knows of it already. */
  onUnreadable(entry: QueueEntry): void;
  /** Nothing is on its way to the disk any more. */
  onAllStored(): void;
}

/** An entry on its way to the disk. */
interface Arrival {
  readonly entry: QueueEntry;
  /** The disk has it, or refused it. */
  isDone: boolean;
}

/** The entries of a queue on disk: how they get there, come back, and are done with. */
export class PersistentEntries {
  readonly #ledger: Ledger;
  readonly #owner: EntryOwner;
  readonly #log: LogInterval;
  readonly #backlog: PersistentBacklog;
  /** In the order of their records; as many as senders wait at most. */
  readonly #arrivals = new Fifo<Arrival>();

  private constructor(settings: ComponentSettings, owner: EntryOwner, backlog: PersistentBacklog) {
    this.#ledger = settings.ledger;
    this.#owner = owner;
    this.#log = new LogInterval(settings.logger, settings.clock);
    this.#backlog = backlog;
  }

  /** @throws Error when the storage does not run, or its log cannot be opened */
  static async open(
    settings: ComponentSettings,
    signal: Signal,
    host: Host,
    queue: StoredQueue,
    owner: EntryOwner,
  ): Promise<PersistentEntries> {
    const log = new LogInterval(settings.logger, settings.clock);
    const message =
      "what was delivered could not be removed from the queue on disk; " +
      "it may be delivered again after a restart";
    const onRemoveFailed = (error: unknown) => log.log("warn", message, { error });
    const backlog = await PersistentBacklog.open(settings, signal, host, queue, onRemoveFailed);
    return new PersistentEntries(settings, owner, backlog);
  }

  /** How many are on their way to the disk. */
  get arrivingCount(): number {
    return this.#arrivals.length;
  }

  /**
   * What an earlier process left, oldest first, on the ledger from now on.
   *
   * @param sizeOf what something takes of `queue_size`
   */
  recover(
    enqueuedAtMs: number,
    sizeOf: (measures: Pick<Batch, "byteLength" | "itemCount">) => number,
  ): readonly QueueEntry[] {
    return this.#backlog.recovered.map(({ byteLength, itemCount, key }) => {
      this.#ledger.recovered(itemCount);
      return {
        batch: undefined,
        key,
        size: sizeOf({ byteLength, itemCount }),
        itemCount,
        byteLength,
        enqueuedAtMs,
        deadlineMs: Number.POSITIVE_INFINITY,
        settle: undefined,
        isTold: false,
        jobsLeft: 0,
        refused: [],
        rejectedItems: 0,
      };
    });
  }

  /**
   * Writes an entry; resolves when it is safe and held on the ledger.
   *
   * @throws RetryableError `STORAGE_FAILED` when it cannot be kept
   */
  async store(entry: QueueEntry, batch: Batch): Promise<void> {
    const arrival: Arrival = { entry, isDone: false };
    this.#arrivals.push(arrival);
    try {
      entry.key = await this.#backlog.append(batch);
      this.#ledger.held(entry.itemCount);
    } finally {
      arrival.isDone = true;
      this.#letIn();
    }
  }

  /** The bytes of an entry; undefined when they cannot be read, which the owner hears. */
  load(entry: QueueEntry): Batch | undefined {
    const { key } = entry;
    if (entry.batch !== undefined || key === undefined) return entry.batch;
    try {
      const batch = this.#backlog.read(key);
      entry.enqueuedAtMs = Math.min(entry.enqueuedAtMs, batch.origin.receivedAtMs);
      if (this.#backlog.admit(batch)) entry.batch = batch;
      return batch;
    } catch (error) {
      this.#giveUp(entry, key, error);
      return undefined;
    }
  }

  /** An entry has left the queue. @param isKept whether its record stays for the next process */
  leave({ batch, itemCount, key }: QueueEntry, isKept: boolean): void {
    if (batch !== undefined) this.#backlog.release(batch);
    if (isKept) this.#ledger.persisted(itemCount);
    else if (key !== undefined) this.#backlog.remove(key);
  }

  /** Waits for removals, then gives the log free. Safe twice. */
  close(): Promise<void> {
    return this.#backlog.close();
  }

  /** Lets those in that the disk has, in the order of their records. */
  #letIn(): void {
    for (let first = this.#arrivals.first; first?.isDone === true; first = this.#arrivals.first) {
      this.#arrivals.take();
      const { entry } = first;
      if (entry.key === undefined) continue;
      if (entry.batch !== undefined && !this.#backlog.admit(entry.batch)) entry.batch = undefined;
      this.#owner.onStored(entry);
    }
    if (this.#arrivals.length === 0) this.#owner.onAllStored();
  }

  #giveUp(entry: QueueEntry, key: number, error: unknown): void {
    const { itemCount } = entry;
    const fields = { ...failureFields(error), key, items: itemCount };
    if (error instanceof UnknownRecordVersionError) {
      this.#ledger.persisted(itemCount);
      const message =
        "a record of the queue is from another version; it stays on disk for that one";
      this.#log.log("error", message, fields);
    } else {
      this.#ledger.dropped(itemCount, "storage_corrupt");
      this.#ledger.released(itemCount);
      this.#backlog.remove(key);
      this.#log.log("error", "a record of the queue is damaged and was dropped", fields);
    }
    this.#owner.onUnreadable(entry);
  }
}
