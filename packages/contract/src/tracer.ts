import type { Batch } from "./batch.js";

/** Ends a span; with the error, when what it stands for failed. To be called once. Never throws. */
export type EndSpan = (error?: unknown) => void;

/**
 * Follows some requests on their way through the process, for its own traces.
 *
 * Both methods answer undefined when this request is not followed. They must be cheap then, and never
 * throw.
 */
export interface Tracer {
  /** A receiver offers a request to its pipelines; the span ends with their answer. */
  received(receiverId: string, batch: Batch): EndSpan | undefined;
  /** An exporter begins one try to send a batch. */
  sending(exporterId: string, batch: Batch): EndSpan | undefined;
}
