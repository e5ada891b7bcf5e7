import {
  type Batch,
  type ComponentSettings,
  type Host,
  type PermanentError,
  RetryableError,
  type Signal,
} from "@inode-gateway/contract";
import { isPersistent, type SendingQueueConfig } from "./config.js";
import type { DeliveryStep } from "./delivery-step.js";
import { EntryFate } from "./entry-fate.js";
import type { Losses } from "./losses.js";
import type { Outcome } from "./outcome.js";
import { PersistentEntries } from "./persistent-entries.js";
import { QueueConsumers } from "./queue-consumers.js";
import {
  entryOf,
  failedWhole,
  type QueueEntry,
  type QueueJob,
  shareLosses,
} from "./queue-entry.js";
import { QueueInstruments } from "./queue-instruments.js";
import { QueueJobs } from "./queue-jobs.js";
import { QueueRoom } from "./queue-room.js";
import { AFTERMATH_MS_MAX } from "./stop-times.js";
import { untilDelivered } from "./waiting-sender.js";
import { Wakers } from "./wakers.js";

const never = Number.POSITIVE_INFINITY;

/**
 * A bounded queue with a fixed number of deliveries at the same time, first in first out.
 *
 * Its size includes what is being delivered: an entry leaves when its last export has ended. With
 * `wait_for_result` it bounds concurrency only, and nothing in it has been acknowledged; without,
 * everything in it is on the ledger as held. With `storage` everything in it is on disk before it is
 * acknowledged, and stays there until it is delivered or given up.
 */
export class SendingQueue {
  readonly #settings: ComponentSettings;
  readonly #signal: Signal;
  readonly #config: SendingQueueConfig;
  readonly #room: QueueRoom;
  readonly #jobs: QueueJobs;
  readonly #fate: EntryFate;
  readonly #instruments: QueueInstruments;
  readonly #consumers: QueueConsumers;
  readonly #idle: Wakers;
  /** Everything in the queue, oldest first. */
  readonly #entries = new Set<QueueEntry>();
  /** The entries on disk; undefined in a queue in memory. */
  #stored: PersistentEntries | undefined;
  #isStopping = false;
  #isClosed = false;

  constructor(
    settings: ComponentSettings,
    signal: Signal,
    config: SendingQueueConfig,
    next: DeliveryStep<Outcome>,
    losses: Losses,
  ) {
    const { clock } = settings;
    this.#settings = settings;
    this.#signal = signal;
    this.#config = config;
    this.#room = new QueueRoom(clock, config);
    this.#jobs = new QueueJobs(clock, config, (entry) => this.#load(entry));
    this.#fate = new EntryFate(settings.ledger, losses);
    this.#instruments = new QueueInstruments(settings, signal);
    this.#consumers = new QueueConsumers(settings, config.num_consumers, next, this.#instruments, {
      nextJob: () => this.#nextJob(),
      dueMs: () => (this.#isStopping ? never : this.#jobs.dueMs),
      conclude: (job, outcome) => this.#conclude(job, outcome),
      onConcluded: () => this.#wakeWhenIdle(),
    });
    this.#idle = new Wakers(clock);
  }

  /**
   * Opens the queue on disk, if it is one, and begins to deliver what it finds there.
   *
   * @throws Error when its storage does not run or cannot be opened
   */
  async start(host: Host): Promise<void> {
    const { storage } = this.#config;
    if (isPersistent(this.#config) && storage !== undefined) {
      const settings = this.#settings;
      const queue = { storageId: storage, metadataNames: this.#jobs.metadataNames };
      const stored = await PersistentEntries.open(settings, this.#signal, host, queue, {
        onStored: (entry) => this.#letIn(entry),
        onUnreadable: (entry) => this.#forget(entry),
        onAllStored: () => this.#wakeWhenIdle(),
      });
      if (this.#isClosed) {
        await stored.close();
        throw new Error("it was shut down while it was starting");
      }
      this.#stored = stored;
      const recovered = stored.recover(settings.clock.nowMs(), (of) => this.#room.sizeOf(of));
      for (const entry of recovered) {
        this.#room.take(entry.size);
        this.#entries.add(entry);
        this.#jobs.push(entry);
      }
    }
    this.#instruments.observe({
      size: () => this.#room.size,
      capacity: () => this.#config.queue_size,
      drainRate: () => this.#room.drainRate,
      oldest: () => this.#entries.values().next().value,
    });
    this.#consumers.begin();
  }

  /**
   * Why a batch would not be taken now, counted as a refusal; undefined when it would.
   *
   * Without a batch the answer is about the smallest there is: one request, item or byte. Where
   * senders wait for room (`block_on_overflow`), a full queue is no refusal.
   */
  refusal(batch?: Batch): PermanentError | RetryableError | undefined {
    const refusal = this.#room.refusal(batch === undefined ? 1 : this.#room.sizeOf(batch));
    const isFull = refusal?.code === "QUEUE_FULL";
    if (refusal === undefined || (isFull && this.#config.block_on_overflow)) return undefined;
    if (batch !== undefined) this.#instruments.enqueueFailed.add(batch.itemCount);
    return refusal;
  }

  async deliver(batch: Batch, deadlineMs: number): Promise<void> {
    const size = this.#room.sizeOf(batch);
    const refusal = this.#config.block_on_overflow
      ? await this.#claim(size, deadlineMs)
      : this.#room.tryTake(size);
    if (refusal !== undefined) {
      this.#instruments.enqueueFailed.add(batch.itemCount);
      throw refusal;
    }
    this.#instruments.enqueueSize.record(batch.itemCount);
    this.#instruments.enqueueBytes.record(batch.byteLength);
    const { clock, ledger } = this.#settings;
    if (this.#config.wait_for_result) {
      const isMerged = this.#config.batch !== undefined;
      const sender = { batch, size, deadlineMs, isMerged };
      await untilDelivered(clock, sender, (entry) => this.#enqueue(entry));
      return;
    }
    const entry = entryOf(batch, { size, enqueuedAtMs: clock.nowMs() });
    if (isPersistent(this.#config)) {
      await this.#store(entry, batch);
    } else {
      ledger.held(batch.itemCount);
      this.#enqueue(entry);
    }
  }

  /** Whether what failed like this stays on disk for the next process. */
  keeps(error: unknown): boolean {
    return this.#isStopping && this.#stored !== undefined && error instanceof RetryableError;
  }

  /**
   * Takes nothing new. A queue in memory delivers what it holds until `untilMs` and gives up what
   * never began; one on disk only lets end what has begun.
   */
  async drain(untilMs: number): Promise<void> {
    this.#isStopping = true;
    this.#room.close();
    this.#consumers.dispatch();
    await this.#idle.waitFor(() => this.#isIdle(), untilMs);
    this.#consumers.end();
    if (isPersistent(this.#config)) return;
    const error = new RetryableError("SHUTTING_DOWN", "the exporter was shut down");
    const { entries, jobs } = this.#jobs.takeAll();
    for (const job of jobs) this.#conclude(job, failedWhole(job, error));
    for (const entry of entries) {
      entry.jobsLeft = 1;
      const { batch } = entry;
      if (batch === undefined) continue;
      const job = { batch, entries: [entry] };
      this.#conclude(job, failedWhole(job, error));
    }
  }

  /**
   * Waits for deliveries that were cut off to report back, and leaves to the next process what is on
   * disk; call it after the sender was closed.
   */
  async settle(): Promise<void> {
    const untilMs = this.#settings.clock.nowMs() + AFTERMATH_MS_MAX;
    await this.#idle.waitFor(() => this.#isIdle(), untilMs);
    this.#isClosed = true;
    if (this.#stored !== undefined) {
      for (const entry of this.#entries) {
        this.#stored.leave(entry, true);
        this.#forget(entry);
      }
      await this.#stored.close();
    }
    this.#instruments.end();
  }

  /** Waits for room; what got it in the very moment of the stop comes too late all the same. */
  async #claim(
    size: number,
    deadlineMs: number,
  ): Promise<PermanentError | RetryableError | undefined> {
    const refusal = await this.#room.claim(size, deadlineMs);
    if (refusal !== undefined || !this.#isStopping) return refusal;
    this.#room.give(size, false);
    return this.#room.refusal(size);
  }

  async #store(entry: QueueEntry, batch: Batch): Promise<void> {
    if (this.#stored === undefined) throw new Error("the queue on disk was not started");
    try {
      await this.#stored.store(entry, batch);
    } catch (error) {
      this.#room.give(entry.size, false);
      this.#instruments.enqueueFailed.add(entry.itemCount);
      throw error;
    }
  }

  #letIn(entry: QueueEntry): void {
    if (!this.#isClosed) {
      this.#enqueue(entry);
      return;
    }
    // The disk answered when everything else was over: it is safe, and the next process finds it.
    this.#stored?.leave(entry, true);
    this.#forget(entry);
  }

  #enqueue(entry: QueueEntry): void {
    this.#entries.add(entry);
    this.#jobs.push(entry);
    this.#consumers.dispatch();
  }

  /**
   * What is on disk is safe there, so that nothing is begun while the process stops. A request of
   * which a part is delivered is completed, or the next process would send that part again.
   */
  #nextJob(): QueueJob | undefined {
    if (!this.#isStopping || this.#stored === undefined) return this.#jobs.next(this.#isStopping);
    for (let job = this.#jobs.nextPart(); job !== undefined; job = this.#jobs.nextPart()) {
      const isKept = job.entries.some((entry) => this.#isKept(entry));
      if (!isKept) return job;
    }
    return undefined;
  }

  #conclude(job: QueueJob, outcome: Outcome): void {
    if (outcome.refused.length > 0 || outcome.partial !== undefined) shareLosses(job, outcome);
    for (const entry of job.entries) {
      entry.jobsLeft--;
      if (entry.jobsLeft === 0) this.#leave(entry);
    }
  }

  #leave(entry: QueueEntry): void {
    // Not there any more when it was left to the next process.
    if (!this.#entries.delete(entry)) return;
    const isKept = this.#isKept(entry);
    if (!isKept) this.#fate.settle(entry, this.#isStopping);
    this.#stored?.leave(entry, isKept);
    this.#room.give(entry.size, !isKept);
  }

  #isKept({ refused }: QueueEntry): boolean {
    return refused.some(({ error }) => this.keeps(error));
  }

  /** An entry is none of this process's any more, without having been delivered. */
  #forget(entry: QueueEntry): void {
    this.#entries.delete(entry);
    this.#room.give(entry.size, false);
  }

  /** The bytes of an entry; undefined when it is out of the queue, for whatever reason. */
  #load(entry: QueueEntry): Batch | undefined {
    if (entry.isTold) {
      this.#leave(entry);
      return undefined;
    }
    return this.#stored === undefined ? entry.batch : this.#stored.load(entry);
  }

  #isIdle(): boolean {
    return this.#consumers.running === 0 && (this.#stored?.arrivingCount ?? 0) === 0;
  }

  #wakeWhenIdle(): void {
    if (this.#isIdle()) this.#idle.wakeAll();
  }
}
