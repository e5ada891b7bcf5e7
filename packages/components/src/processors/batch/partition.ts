import type { Batch, BatchOrigin, Timer } from "@inode-gateway/contract";

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
  readonly #keys: readonly string[];
  readonly #countMax: number;
  readonly #partitions = new Map<string, Partition>();

  /** @param keys names of metadata, in any case */
  constructor(keys: readonly string[], countMax: number) {
    this.#keys = keys.map((key) => key.toLowerCase());
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
    const values = this.#keys.map((key) => metadata.get(key) ?? []);
    const key = this.#keys.length === 0 ? "" : JSON.stringify(values);
    const known = this.#partitions.get(key);
    if (known !== undefined) return known;
    if (this.#partitions.size >= this.#countMax) return undefined;
    const partition: Partition = {
      key,
      metadata: this.#kept(values),
      batches: [],
      itemCount: 0,
      byteLength: 0,
      pendingBytes: 0,
      timer: undefined,
    };
    this.#partitions.set(key, partition);
    return partition;
  }

  /** Forgets a partition whose batches have been taken. */
  close(partition: Partition): void {
    partition.timer?.cancel();
    this.#partitions.delete(partition.key);
  }

  #kept(values: readonly (readonly string[])[]): BatchOrigin["metadata"] {
    const kept = new Map<string, readonly string[]>();
    this.#keys.forEach((key, index) => {
      const value = values[index] ?? [];
      if (value.length > 0) kept.set(key, value);
    });
    return kept;
  }
}
