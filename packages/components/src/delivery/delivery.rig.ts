import {
  type Batch,
  type BatchOrigin,
  type Host,
  PermanentError,
  RetryableError,
} from "@inode-gateway/contract";
import type { PartialSuccess } from "@inode-gateway/otlp";
import { createTestBatch, createTestSettings, settle, TestHost } from "@inode-gateway/testkit";
import type { z } from "zod";
import { retryOnFailure, sendingQueue } from "./config.js";
import { DeliveringExporter } from "./delivering-exporter.js";
import type { Sender } from "./delivery-step.js";

/** A destination that is away for now. */
export const away = new RetryableError("BACKEND_UNAVAILABLE", "away");
/** A destination that refuses for good. */
export const rejected = new PermanentError("BACKEND_REJECTED", "no");
/** A destination to which a request is too large. */
export const tooLarge = new PermanentError("BATCH_TOO_LARGE", "larger than max");

/** One send under way; `end` without an argument means that the destination took it. */
export interface RunningSend {
  readonly batch: Batch;
  readonly deadlineMs: number;
  readonly end: (error?: unknown) => void;
}

/** Options of {@link startExporter}. */
export interface RigOptions {
  readonly queue?: z.input<ReturnType<typeof sendingQueue>>;
  readonly retry?: z.input<ReturnType<typeof retryOnFailure>>;
  /**
   * What the destination answers at once: an error, a partial success or nothing. Without it every
   * send waits for the test to end it.
   */
  readonly verdict?: (batch: Batch) => unknown;
  readonly host?: Host;
  /** Default new settings on a clock of their own. */
  readonly settings?: ReturnType<typeof exporterSettings>;
  /** Default true. */
  readonly isStarted?: boolean;
}

/** Settings of the exporter that {@link startExporter} makes. */
export function exporterSettings() {
  return createTestSettings({ id: "otlp_grpc", kind: "exporter", signal: "traces" });
}

/** An exporter of traces whose destination is the test. */
export async function startExporter(options: RigOptions = {}) {
  const settings = options.settings ?? exporterSettings();
  const sends: RunningSend[] = [];
  const sender: Sender = {
    start: async () => undefined,
    send: async (batch, deadlineMs) => {
      if (options.verdict === undefined) {
        const error = await new Promise<unknown>((end) => {
          sends.push({ batch, deadlineMs, end });
        });
        if (error !== undefined) throw error;
        return undefined;
      }
      sends.push({ batch, deadlineMs, end: () => undefined });
      const answer = options.verdict(batch);
      if (answer instanceof Error) throw answer;
      return answer as PartialSuccess | undefined;
    },
    close: async () => undefined,
  };
  const { retry, queue } = options;
  const exporter = new DeliveringExporter(settings, sender, {
    retry: retry === undefined ? undefined : retryOnFailure().parse(retry),
    queue: sendingQueue().parse(queue ?? {}),
  });
  if (options.isStarted !== false) await exporter.start(options.host ?? new TestHost());
  const labels = { exporter: "otlp_grpc", data_type: "traces" };
  const { ledger, meter } = settings;
  return {
    exporter,
    settings,
    ledger,
    sends,
    /** Items of every send so far. */
    sizes: () => sends.map(({ batch }) => batch.itemCount),
    gauge: (name: string) => meter.value(`otelcol_exporter_queue_${name}`, labels),
    own: (name: string) => meter.value(`inode_gateway_exporter_queue_${name}`, labels),
    recorded: (name: string) =>
      meter.recorded(`otelcol_exporter_${name}`, { exporter: "otlp_grpc" }),
    sum: (name: string) => meter.sum(`otelcol_exporter_${name}_spans`),
    /** Consumes and tells how it ended, once it has. */
    consume: (batch: Batch) => outcomeOf(exporter.consume(batch)),
  };
}

/** Spans of one sender. */
export function spans(itemCount: number, origin: Partial<BatchOrigin> = {}): Batch {
  return createTestBatch({ itemCount, origin });
}

/** Spans with the metadata `x-tenant`. */
export function spansOf(tenant: string, itemCount = 1): Batch {
  return spans(itemCount, { metadata: new Map([["x-tenant", [tenant]]]) });
}

/** How a promise has ended so far. */
export interface Ending {
  state: "waiting" | "resolved" | "rejected";
  error: unknown;
}

/** Follows a promise without waiting for it; promises that can go on have gone on. */
export async function outcomeOf(promise: Promise<unknown>): Promise<Ending> {
  const ending: Ending = { state: "waiting", error: undefined };
  promise.then(
    () => {
      ending.state = "resolved";
    },
    (error: unknown) => {
      ending.state = "rejected";
      ending.error = error;
    },
  );
  await settle();
  return ending;
}
