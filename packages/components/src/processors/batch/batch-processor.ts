import {
  Batch,
  type ComponentSettings,
  type Consumer,
  type Counter,
  type Histogram,
  PermanentError,
  type Processor,
  RetryableError,
} from "@inode-gateway/contract";
import { splitRequest } from "@inode-gateway/otlp";
import { mergeBatches } from "../../batching/merge-batches.js";
import type { BatchConfig } from "./config.js";
import * as metrics from "./metrics.js";
import { MetadataPartitions, type Partition } from "./partition.js";
import { SendQueue } from "./send-queue.js";

/** What one waiting request costs beside its bytes; keeps millions of tiny ones bounded too. */
export const PENDING_OVERHEAD_BYTES = 512;

/** How long a refused sender waits: several flushes of the default `timeout`. */
const RETRY_AFTER_MS = 1_000;

const accepted = Promise.resolve();

/**
 * Collects requests until there are enough items, enough bytes, or enough time has passed.
 *
 * As in the Collector a sender is acknowledged at once, so that a failure behind this processor
 * loses data; unlike there every loss is counted by reason, and what waits is bounded in bytes.
 */
export class BatchProcessor implements Processor {
  readonly #settings: ComponentSettings;
  readonly #config: BatchConfig;
  readonly #next: Consumer;
  readonly #partitions: MetadataPartitions;
  readonly #queue: SendQueue;
  readonly #sendSize: Histogram;
  readonly #sendBytes: Histogram;
  readonly #sizeTrigger: Counter;
  readonly #timeoutTrigger: Counter;
  #releases: (() => void)[] = [];
  #pendingBytes = 0;
  #stopped: Promise<void> | undefined;

  constructor(settings: ComponentSettings, config: BatchConfig, next: Consumer) {
    this.#settings = settings;
    this.#config = config;
    this.#next = next;
    this.#queue = new SendQueue(settings, next, config.num_consumers);
    const { metadata_cardinality_limit: limit, metadata_keys: keys } = config;
    // Without keys there is one partition, however small the limit is.
    this.#partitions = new MetadataPartitions(keys, limit);
    const labels = { processor: settings.id };
    this.#sendSize = settings.meter.histogram(metrics.sendSize, labels);
    this.#sendBytes = settings.meter.histogram(metrics.sendBytes, labels);
    this.#sizeTrigger = settings.meter.counter(metrics.sizeTrigger, labels);
    this.#timeoutTrigger = settings.meter.counter(metrics.timeoutTrigger, labels);
  }

  start(): Promise<void> {
    const { id, meter, pipeline } = this.#settings;
    const labels = { processor: id, pipeline: pipeline ?? "" };
    this.#releases = [
      meter.observe(metrics.metadataCardinality, labels, () => this.#partitions.count),
      meter.observe(metrics.pendingBytes, labels, () => this.#pendingBytes),
    ];
    return Promise.resolve();
  }

  shutdown(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  /**
   * Refuses what does not fit here, and everything while what stands behind refuses: a sender that is
   * acknowledged then would lose its data to a full queue.
   */
  refusal(batch?: Batch): PermanentError | RetryableError | undefined {
    if (this.#stopped !== undefined) return stopping();
    if (batch?.signal === "profiles") return this.#next.refusal?.(batch);
    const pendingBytes = (batch?.retainedBytes ?? 0) + PENDING_OVERHEAD_BYTES;
    if (pendingBytes > this.#config.pending_bytes_max - this.#pendingBytes) {
      return this.#refusal(pendingBytes);
    }
    // Not with the batch: it will have another size when it gets there.
    return this.#next.refusal?.();
  }

  consume(batch: Batch): Promise<void> {
    if (this.#stopped !== undefined) return Promise.reject(stopping());
    // Profiles are never merged: a request's samples refer to the request's own dictionary.
    if (batch.signal === "profiles") return this.#next.consume(batch);
    if (batch.itemCount === 0) return accepted;
    const pendingBytes = batch.retainedBytes + PENDING_OVERHEAD_BYTES;
    if (pendingBytes > this.#config.pending_bytes_max - this.#pendingBytes) {
      return Promise.reject(this.#refusal(pendingBytes));
    }
    const partition = this.#partitions.open(batch.origin.metadata);
    if (partition === undefined) return Promise.reject(this.#tooManyPartitions());
    this.#settings.ledger.held(batch.itemCount);
    this.#pendingBytes += pendingBytes;
    this.#add(partition, batch, pendingBytes);
    return accepted;
  }

  #add(first: Partition, batch: Batch, pendingBytes: number): void {
    const { itemCount, byteLength } = batch;
    const { send_batch_size: size, timeout } = this.#config;
    let partition = first;
    const isOpen = partition.batches.length > 0;
    if (
      isOpen &&
      this.#isTooLarge(partition.itemCount + itemCount, partition.byteLength + byteLength)
    ) {
      this.#sizeTrigger.add(1);
      this.#flush(partition);
      partition = this.#partitions.open(batch.origin.metadata) ?? first;
    }
    partition.batches.push(batch);
    partition.itemCount += itemCount;
    partition.byteLength += byteLength;
    partition.pendingBytes += pendingBytes;
    const isFull = partition.itemCount >= size || this.#isTooLarge(itemCount, byteLength);
    if (isFull || timeout === 0) {
      this.#sizeTrigger.add(1);
      this.#flush(partition);
    } else if (partition.timer === undefined) {
      const target = partition;
      partition.timer = this.#settings.clock.setTimer(timeout, () => {
        this.#timeoutTrigger.add(1);
        this.#flush(target);
      });
    }
  }

  #isTooLarge(itemCount: number, byteLength: number): boolean {
    const { send_batch_max_bytes: bytesMax, send_batch_max_size: itemsMax } = this.#config;
    return (itemsMax > 0 && itemCount > itemsMax) || (bytesMax > 0 && byteLength > bytesMax);
  }

  #flush(partition: Partition): void {
    this.#partitions.close(partition);
    const merged = mergeBatches(partition.batches, partition.metadata);
    if (merged === undefined) return;
    const parts = this.#isTooLarge(merged.itemCount, merged.byteLength)
      ? this.#split(merged)
      : [merged];
    let left = parts.length;
    const onDone = () => {
      left--;
      // The parts share the memory of the whole.
      if (left === 0) this.#pendingBytes -= partition.pendingBytes;
    };
    for (const batch of parts) {
      this.#sendSize.record(batch.itemCount);
      this.#sendBytes.record(batch.byteLength);
      this.#queue.push({ batch, onDone });
    }
  }

  #split(batch: Batch): Batch[] {
    const { send_batch_max_bytes: maxBytes, send_batch_max_size: maxItems } = this.#config;
    const parts = splitRequest(batch.signal, batch.bytes, {
      ...(maxItems > 0 ? { maxItems } : {}),
      ...(maxBytes > 0 ? { maxBytes } : {}),
    });
    const { origin, signal } = batch;
    return parts.map(({ chunks, itemCount }) => new Batch({ signal, chunks, origin, itemCount }));
  }

  #refusal(pendingBytes: number): PermanentError | RetryableError {
    const { pending_bytes_max: max } = this.#config;
    if (pendingBytes > max) {
      return new PermanentError(
        "BATCH_TOO_LARGE",
        `batch takes ${pendingBytes} bytes, \`pending_bytes_max\` is ${max}`,
      );
    }
    return new RetryableError(
      "QUEUE_FULL",
      `${this.#pendingBytes} bytes wait to be sent, ${pendingBytes} more do not fit into ` +
        `\`pending_bytes_max\`, which is ${max}`,
      { retryAfterMs: RETRY_AFTER_MS },
    );
  }

  #tooManyPartitions(): Error {
    return new RetryableError(
      "QUEUE_FULL",
      `${this.#partitions.count} combinations of metadata values wait to be sent, ` +
        "which is `metadata_cardinality_limit`",
      { retryAfterMs: RETRY_AFTER_MS },
    );
  }

  async #stop(deadlineMs: number): Promise<void> {
    for (const partition of this.#partitions.all()) this.#flush(partition);
    await this.#queue.drain(deadlineMs);
    for (const release of this.#releases.splice(0)) release();
  }
}

function stopping(): RetryableError {
  return new RetryableError("SHUTTING_DOWN", "batch is stopping");
}
