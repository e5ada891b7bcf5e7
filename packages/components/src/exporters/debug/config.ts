import { z } from "zod";
import { optionalSendingQueue } from "../../delivery/config.js";

/** What an operator may write under `debug:` in `exporters`; the Collector's keys. */
export const debugConfig = z.strictObject({
  verbosity: z
    .enum(["basic", "normal", "detailed"])
    .default("basic")
    .describe(
      "basic: counts of each batch; normal: a line for each resource, scope and item; detailed: every field.",
    ),
  sampling_initial: z
    .int()
    .nonnegative()
    .default(2)
    .describe("Batches written in each second before sampling begins; the Collector's default."),
  sampling_thereafter: z
    .int()
    .nonnegative()
    .default(1)
    .describe(
      "After `sampling_initial`, every so many-th batch of the second is written; 1 writes all, 0 none. The Collector's default.",
    ),
  use_internal_logger: z
    .literal(true, {
      error: "must be true: what arrives is written to the log of the process, not to files",
    })
    .default(true)
    .describe("Whether the log of the process is written to; nothing else is."),
  sending_queue: optionalSendingQueue().describe(
    "The queue before the log; absent writes each batch before its sender is acknowledged.",
  ),
});

/** The checked configuration of one `debug` exporter. */
export type DebugConfig = z.output<typeof debugConfig>;
