import type { Batch, Clock } from "@inode-gateway/contract";
import { mergeBatches } from "../batching/merge-batches.js";
import { MetadataKey } from "../batching/metadata-key.js";
import { keeps, splitBatch } from "../batching/split-batch.js";
import { Batcher, type Bundle } from "./batcher.js";
import type { SendingQueueConfig } from "./config.js";
import { Fifo } from "./fifo.js";
import type { QueueEntry, QueueJob } from "./queue-entry.js";

/** How the bytes of an entry are had; undefined when they are lost, which is then settled. */
export type LoadEntry = (entry: QueueEntry) => Batch | undefined;

const noMetadata = new MetadataKey([]).groupOf(new Map());

/**
 * The order in which entries leave a sending queue, and how they are merged and split on the way.
 *
 * Nothing is merged before somebody is free to send it: so requests that pile up behind a slow
 * destination leave in large batches, and their bytes can stay on disk until then.
 */
export class QueueJobs {
  readonly #clock: Clock;
  readonly #load: LoadEntry;
  readonly #batcher: Batcher | undefined;
  readonly #metadataKey: MetadataKey;
  readonly #waiting = new Fifo<QueueEntry>();
  readonly #bundles = new Fifo<Bundle>();
  readonly #jobs = new Fifo<QueueJob>();

  constructor(clock: Clock, config: SendingQueueConfig, load: LoadEntry) {
    this.#clock = clock;
    this.#load = load;
    const { batch } = config;
    this.#batcher = batch === undefined ? undefined : new Batcher(config, batch);
    this.#metadataKey = new MetadataKey(batch?.partition.metadata_keys ?? []);
  }

  /** Lower-case names of the metadata by which requests are merged apart. */
  get metadataNames(): ReadonlySet<string> {
    return this.#metadataKey.names;
  }

  push(entry: QueueEntry): void {
    this.#waiting.push(entry);
  }

  /** When something will be ready that is not yet; `Infinity` when nothing waits for time to pass. */
  get dueMs(): number {
    return this.#batcher?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  /**
   * What is to be sent next; undefined when nothing is ready.
   *
   * @param isFlushing whether bundles that are not complete leave as they are
   */
  next(isFlushing: boolean): QueueJob | undefined {
    const batcher = this.#batcher;
    if (batcher === undefined) return this.#nextUnmerged();
    for (;;) {
      const job = this.#jobs.take();
      if (job !== undefined) return job;
      const bundle = this.#bundles.take() ?? this.#nextBundle(batcher, isFlushing);
      if (bundle === undefined) return undefined;
      for (const made of this.#jobsOf(bundle)) {
        for (const entry of made.entries) entry.jobsLeft++;
        this.#jobs.push(made);
      }
    }
  }

  /** The next part of a request of which another part was given out already; undefined without one. */
  nextPart(): QueueJob | undefined {
    return this.#jobs.take();
  }

  /** Takes out everything that was not begun: whole entries, and parts of entries as jobs. */
  takeAll(): { readonly jobs: readonly QueueJob[]; readonly entries: readonly QueueEntry[] } {
    const jobs: QueueJob[] = [];
    const entries: QueueEntry[] = [];
    for (let job = this.#jobs.take(); job !== undefined; job = this.#jobs.take()) jobs.push(job);
    let bundle = this.#bundles.take() ?? this.#batcher?.take();
    for (; bundle !== undefined; bundle = this.#bundles.take() ?? this.#batcher?.take()) {
      entries.push(...bundle.entries);
    }
    let entry = this.#waiting.take();
    for (; entry !== undefined; entry = this.#waiting.take()) entries.push(entry);
    return { jobs, entries };
  }

  #nextUnmerged(): QueueJob | undefined {
    for (let entry = this.#waiting.take(); entry !== undefined; entry = this.#waiting.take()) {
      const batch = this.#load(entry);
      if (batch === undefined) continue;
      entry.jobsLeft = 1;
      return { batch, entries: [entry] };
    }
    return undefined;
  }

  #nextBundle(batcher: Batcher, isFlushing: boolean): Bundle | undefined {
    const nowMs = this.#clock.nowMs();
    // What has waited here is not overtaken without end by what fills up faster.
    if (batcher.overdueMs <= nowMs) return batcher.take();
    for (let entry = this.#waiting.take(); entry !== undefined; entry = this.#waiting.take()) {
      this.#add(batcher, entry, nowMs);
      const bundle = this.#bundles.take();
      if (bundle !== undefined) return bundle;
    }
    return isFlushing || batcher.dueMs <= nowMs ? batcher.take() : undefined;
  }

  #add(batcher: Batcher, entry: QueueEntry, nowMs: number): void {
    let group = noMetadata;
    if (this.#metadataKey.isNeeded) {
      const batch = this.#load(entry);
      if (batch === undefined) return;
      group = this.#metadataKey.groupOf(batch.origin.metadata);
    }
    for (const bundle of batcher.add(entry, group, nowMs)) this.#bundles.push(bundle);
  }

  #jobsOf({ entries, metadata }: Bundle): readonly QueueJob[] {
    const loaded: QueueEntry[] = [];
    const batches: Batch[] = [];
    for (const entry of entries) {
      const batch = this.#load(entry);
      if (batch === undefined) continue;
      loaded.push(entry);
      batches.push(batch);
    }
    const [first] = batches;
    if (first === undefined) return [];
    if (first.signal === "profiles") {
      return batches.map((batch, index) => ({ batch, entries: loaded.slice(index, index + 1) }));
    }
    if (batches.length > 1) {
      const batch = mergeBatches(batches, metadata);
      return batch === undefined ? [] : [{ batch, entries: loaded }];
    }
    const limits = this.#batcher?.maxSize;
    if (limits === undefined || keeps(first, limits)) return [{ batch: first, entries: loaded }];
    return splitBatch(first, limits).map((batch) => ({ batch, entries: loaded }));
  }
}
