import { countItems, type Signal } from "@inode-gateway/otlp";

/** Where a batch came from and until when its sender waits. Shared, never modified. */
export interface BatchOrigin {
  /** Address of the sender as the receiver saw it, such as `10.0.0.7:53124` or `unix:/run/otlp.sock`. */
  readonly peer: string;
  /** When the receiver had the whole request, on the monotonic clock of `Clock.nowMs`. */
  readonly receivedAtMs: number;
  /** When the sender stops waiting, on the same clock; `Infinity` when it named no deadline. */
  readonly deadlineMs: number;
  /** Request metadata the receiver was told to keep (`include_metadata`); names are lower-case. */
  readonly metadata: ReadonlyMap<string, readonly string[]>;
  /**
   * The request as it came, by which its retry is recognized even when it has another outcome on its way,
   * such as a container that is known by now; undefined once nobody will send it again. Shares the
   * batch's memory.
   */
  readonly request?: Uint8Array | undefined;
  /**
   * What the server authenticator knows of the sender, such as `username`; undefined without one.
   * Never written to disk.
   */
  readonly auth?: ReadonlyMap<string, string> | undefined;
}

/** What a new batch is made of. `chunks` become the batch's own and must not be modified any more. */
export interface BatchParts {
  readonly signal: Signal;
  readonly chunks: readonly Uint8Array[];
  readonly origin: BatchOrigin;
  /** Spans, data points, log records or samples, when the caller knows; counted on first use if not. */
  readonly itemCount?: number;
  /** Bytes that stay allocated while this batch lives; at least `byteLength`, which is the default. */
  readonly retainedBytes?: number;
  /** The batches a merged batch was made of, in order, so that a rejected one can be taken apart. */
  readonly mergedFrom?: readonly Batch[];
  /** See {@link Batch.way}; empty by default. */
  readonly way?: string;
}

/**
 * One OTLP export request of one signal, as the protobuf bytes it arrived in.
 *
 * Immutable: whoever changes telemetry makes a new batch from new chunks, which may share memory
 * with the old ones. The bytes have passed the receiver's framing check, so walkers may trust their
 * structure (docs/architecture.md, "A batch is bytes").
 */
export class Batch {
  readonly signal: Signal;
  /** Consecutive parts of the request; an exporter may write them one after another without joining. */
  readonly chunks: readonly Uint8Array[];
  readonly byteLength: number;
  readonly retainedBytes: number;
  readonly origin: BatchOrigin;
  readonly mergedFrom: readonly Batch[];
  /**
   * The pipelines behind connectors that it came through, each after a `>`; empty straight from a
   * receiver. Tells parts of one request from each other.
   */
  readonly way: string;
  #bytes: Uint8Array | undefined;
  #itemCount: number | undefined;

  constructor(parts: BatchParts) {
    let byteLength = 0;
    for (const chunk of parts.chunks) byteLength += chunk.byteLength;
    this.signal = parts.signal;
    this.chunks = parts.chunks;
    this.byteLength = byteLength;
    this.retainedBytes = parts.retainedBytes ?? byteLength;
    this.origin = parts.origin;
    this.mergedFrom = parts.mergedFrom ?? [];
    this.way = parts.way ?? "";
    this.#itemCount = parts.itemCount;
    if (parts.chunks.length === 1) this.#bytes = parts.chunks[0];
  }

  /** The whole request in one piece; joined on first use and kept. Must not be modified. */
  get bytes(): Uint8Array {
    this.#bytes ??= Buffer.concat(this.chunks, this.byteLength);
    return this.#bytes;
  }

  /** Spans, data points, log records or samples in the request; counted on first use and kept. */
  get itemCount(): number {
    this.#itemCount ??= countItems(this.signal, this.bytes);
    return this.#itemCount;
  }

  /**
   * The same request with other bytes, from the same sender.
   *
   * Without `itemCount` the new batch takes this one's count, which is right for every change that
   * neither adds nor removes items. It retains what this batch retains: chunks are mostly ranges of
   * the same memory, and one small range keeps all of it allocated.
   */
  withChunks(chunks: readonly Uint8Array[], itemCount: number = this.itemCount): Batch {
    let byteLength = 0;
    for (const chunk of chunks) byteLength += chunk.byteLength;
    const retainedBytes = Math.max(this.retainedBytes, byteLength);
    return new Batch({
      signal: this.signal,
      chunks,
      origin: this.origin,
      itemCount,
      retainedBytes,
      way: this.way,
    });
  }

  /** The same batch on its way from a connector into a pipeline. */
  through(pipeline: string): Batch {
    const { chunks, mergedFrom, origin, retainedBytes, signal } = this;
    const way = `${this.way}>${pipeline}`;
    const batch = new Batch({ signal, chunks, origin, retainedBytes, mergedFrom, way });
    batch.#itemCount = this.#itemCount;
    batch.#bytes = this.#bytes;
    return batch;
  }
}
