import { randomFillSync } from "node:crypto";
import type { Batch, BatchOrigin, Clock, EndSpan, Signal, Tracer } from "@inode-gateway/contract";
import type { SamplerConfig } from "./export-config.js";

/** A span that has ended. */
export interface RecordedSpan {
  readonly name: string;
  readonly kind: "server" | "client";
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  /** Other requests that went into the batch. */
  readonly links: readonly SpanContext[];
  readonly startUnixMs: number;
  readonly durationMs: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** What went wrong; undefined when nothing did. */
  readonly failure: string | undefined;
}

/** Where a span belongs: lower-case hexadecimal, 32 and 16 digits. */
export interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
}

/** Requests that a span of a merged batch refers to beside its parent; of more the first. */
export const LINKS_MAX = 32;

/** The Collector's names of what a receiver takes. */
const RECEIVED: Readonly<Record<Signal, string>> = {
  traces: "TraceDataReceived",
  metrics: "MetricsReceived",
  logs: "LogsReceived",
  profiles: "ProfilesReceived",
};

/** W3C Trace Context, version 00. */
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/**
 * Makes a span of each request that is followed, and of each try to send what came of it.
 *
 * A request is known by its origin, which it keeps on its way; nothing is kept of those that are not
 * followed, nor of any request once nobody has it any more.
 */
export class SpanRecorder implements Tracer {
  readonly #followed = new WeakMap<BatchOrigin, SpanContext>();
  readonly #ids = new RandomIds();
  readonly #sampler: SamplerConfig;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #onSpan: (span: RecordedSpan) => void;

  constructor(
    sampler: SamplerConfig,
    parts: {
      readonly clock: Clock;
      readonly random: () => number;
      readonly onSpan: (span: RecordedSpan) => void;
    },
  ) {
    this.#sampler = sampler;
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.#onSpan = parts.onSpan;
  }

  received(receiverId: string, batch: Batch): EndSpan | undefined {
    const parent = this.#sampler.isParentBased ? parentOf(batch.origin) : undefined;
    const isFollowed = parent?.isSampled ?? this.#random() < this.#sampler.ratio;
    if (!isFollowed) return undefined;
    const traceId = parent?.traceId ?? this.#ids.next(16);
    const context = { traceId, spanId: this.#ids.next(8) };
    this.#followed.set(batch.origin, context);
    return this.#begin(context, batch, {
      name: `receiver/${receiverId}/${RECEIVED[batch.signal]}`,
      kind: "server",
      parentSpanId: parent?.spanId,
      links: [],
      attributes: { receiver: receiverId },
    });
  }

  sending(exporterId: string, batch: Batch): EndSpan | undefined {
    const parents = this.#parents(batch);
    const [parent] = parents;
    if (parent === undefined) return undefined;
    const context = { traceId: parent.traceId, spanId: this.#ids.next(8) };
    return this.#begin(context, batch, {
      name: `exporter/${exporterId}/${batch.signal}`,
      kind: "client",
      parentSpanId: parent.spanId,
      links: parents.slice(1),
      attributes: { exporter: exporterId },
    });
  }

  /** The followed requests in a batch, at most one more than {@link LINKS_MAX}. */
  #parents(batch: Batch): readonly SpanContext[] {
    const own = this.#followed.get(batch.origin);
    if (batch.mergedFrom.length === 0) return own === undefined ? [] : [own];
    const parents = new Set<SpanContext>();
    for (const { origin } of batch.mergedFrom) {
      const context = this.#followed.get(origin);
      if (context !== undefined) parents.add(context);
      if (parents.size > LINKS_MAX) break;
    }
    return [...parents];
  }

  #begin(
    context: SpanContext,
    batch: Batch,
    span: Pick<RecordedSpan, "name" | "kind" | "parentSpanId" | "links" | "attributes">,
  ): EndSpan {
    const startUnixMs = this.#clock.unixMs();
    const startMs = this.#clock.nowMs();
    return (error) => {
      const { byteLength, itemCount, signal } = batch;
      this.#onSpan({
        ...span,
        ...context,
        startUnixMs,
        durationMs: this.#clock.nowMs() - startMs,
        attributes: {
          ...span.attributes,
          "otel.signal": signal,
          items: itemCount,
          bytes: byteLength,
        },
        failure: error === undefined ? undefined : messageOf(error),
      });
    };
  }
}

/** Random bytes as hexadecimal text, taken from the system in larger pieces. */
class RandomIds {
  readonly #pool = Buffer.alloc(4_096);
  #used = this.#pool.length;

  next(byteLength: number): string {
    if (this.#used + byteLength > this.#pool.length) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    this.#used += byteLength;
    return this.#pool.toString("hex", this.#used - byteLength, this.#used);
  }
}

function parentOf({ metadata }: BatchOrigin): (SpanContext & { isSampled: boolean }) | undefined {
  const [header] = metadata.get("traceparent") ?? [];
  const [, traceId = "", spanId = "", flags = ""] = TRACEPARENT.exec(header ?? "") ?? [];
  // All zeros is no trace and no span.
  if (!/[1-9a-f]/.test(traceId) || !/[1-9a-f]/.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
