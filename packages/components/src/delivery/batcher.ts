import type { BatchOrigin } from "@inode-gateway/contract";
import type { MetadataGroup } from "../batching/metadata-key.js";
import { batchSizer, type QueueBatchConfig, type SendingQueueConfig } from "./config.js";
import type { QueueEntry } from "./queue-entry.js";

/**
 * Combinations of metadata values that may wait for more at the same time. One more sends the
 * oldest early: nobody is refused for it.
 */
export const OPEN_PARTITIONS_MAX = 1_000;

/** Entries that become one request on the wire. */
export interface Bundle {
  readonly entries: readonly QueueEntry[];
  /** What all of them have in common. */
  readonly metadata: BatchOrigin["metadata"];
}

interface Partition {
  readonly metadata: BatchOrigin["metadata"];
  readonly openedAtMs: number;
  readonly entries: QueueEntry[];
  size: number;
}

/**
 * Collects entries until they are large enough to be sent together. It knows sizes, not bytes: those
 * may lie on disk. It has no timer: whoever fills it asks when the next bundle is due.
 */
export class Batcher {
  readonly #config: QueueBatchConfig;
  readonly #sizer: "items" | "bytes";
  /** In the order in which they were opened. */
  readonly #partitions = new Map<string, Partition>();

  constructor(queue: SendingQueueConfig, batch: QueueBatchConfig) {
    this.#config = batch;
    this.#sizer = batchSizer(queue);
  }

  /** The unit of `max_size`, which this limits: entries above it come out alone. */
  get maxSize(): { readonly maxItems?: number; readonly maxBytes?: number } | undefined {
    const { max_size: max } = this.#config;
    if (max === 0) return undefined;
    return this.#sizer === "items" ? { maxItems: max } : { maxBytes: max };
  }

  /** Adds one entry; what it made complete comes back, oldest first. */
  add(entry: QueueEntry, group: MetadataGroup, nowMs: number): readonly Bundle[] {
    const { max_size: max, min_size: min } = this.#config;
    const size = this.#sizer === "items" ? entry.itemCount : entry.byteLength;
    const complete: Bundle[] = [];
    let partition = this.#partitions.get(group.key);
    if (partition !== undefined && max > 0 && partition.size + size > max) {
      this.#partitions.delete(group.key);
      complete.push(partition);
      partition = undefined;
    }
    if (partition === undefined) {
      if (this.#partitions.size >= OPEN_PARTITIONS_MAX) complete.push(...this.#takeOldest());
      partition = { metadata: group.metadata, openedAtMs: nowMs, entries: [], size: 0 };
      this.#partitions.set(group.key, partition);
    }
    partition.entries.push(entry);
    partition.size += size;
    if (partition.size >= min || (max > 0 && partition.size >= max)) {
      this.#partitions.delete(group.key);
      complete.push(partition);
    }
    return complete;
  }

  /** When the oldest bundle has waited `flush_timeout` since its first entry came in. */
  get dueMs(): number {
    const [first] = this.#partitions.values();
    const enqueuedAtMs = first?.entries[0]?.enqueuedAtMs ?? Number.POSITIVE_INFINITY;
    return enqueuedAtMs + this.#config.flush_timeout;
  }

  /** When the oldest bundle has waited `flush_timeout` here, whatever waits behind it. */
  get overdueMs(): number {
    const [first] = this.#partitions.values();
    return (first?.openedAtMs ?? Number.POSITIVE_INFINITY) + this.#config.flush_timeout;
  }

  /** Takes the oldest bundle out, however small it is; undefined when there is none. */
  take(): Bundle | undefined {
    return this.#takeOldest()[0];
  }

  #takeOldest(): readonly Bundle[] {
    for (const [key, partition] of this.#partitions) {
      this.#partitions.delete(key);
      return [partition];
    }
    return [];
  }
}
