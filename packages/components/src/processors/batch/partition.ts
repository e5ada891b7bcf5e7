import type { Batch, BatchOrigin, Timer } from "@inode-gateway/contract";
import { MetadataKey } from "../../batching/metadata-key.js";

/** Batches with the same metadata that wait to be sent together. */
export interface Partition {
  /** What {@link MetadataPartitions} finds it by; empty without `metadata_keys`. */
  readonly key: string;
  readonly metadata: BatchOrigin["metadata"];
  readonly batches: Batch[];
  itemCount: number;
  byteLength: number;
  /** What the batches take from `pending_bytes_max`. */
  pendingBytes: number;
  timer: Timer | undefined;
}

/**
 * The partitions that have something to send, by the values of some metadata.
 *
 * Only those are remembered and counted: a combination that is not seen again costs nothing, while
 * the Collector keeps each for ever.
 */
export class MetadataPartitions {
  readonly #metadataKey: MetadataKey;
  readonly #countMax: number;
  readonly #partitions = new Map<string, Partition>();

  /** @param keys names of metadata, in any case */
  constructor(keys: readonly string[], countMax: number) {
    this.#metadataKey = new MetadataKey(keys);
    this.#countMax = countMax;
  }

  get count(): number {
    return this.#partitions.size;
  }

  all(): readonly Partition[] {
    return [...this.#partitions.values()];
  }

  /** The partition for a request with this metadata; undefined when there would be too many. */
  open(metadata: BatchOrigin["metadata"]): Partition | undefined {
    const group = this.#metadataKey.groupOf(metadata);
    const known = this.#partitions.get(group.key);
    if (known !== undefined) return known;
    if (this.#partitions.size >= this.#countMax) return undefined;
    const partition: Partition = {
      key: group.key,
      metadata: group.metadata,
      batches: [],
      itemCount: 0,
      byteLength: 0,
      pendingBytes: 0,
      timer: undefined,
    };
    this.#partitions.set(group.key, partition);
    return partition;
  }

  /** Forgets a partition whose batches have been taken. */
  close(partition: Partition): void {
    partition.timer?.cancel();
    this.#partitions.delete(partition.key);
  }
}
