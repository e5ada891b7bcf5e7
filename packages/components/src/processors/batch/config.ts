import { duration } from "@inode-gateway/config";
import { z } from "zod";

const batchKeys = z.strictObject({
  timeout: duration()
    .prefault("200ms")
    .describe(
      "How long after its first item a batch is sent, whatever its size; 0s sends at once. " +
        "The Collector's default.",
    ),
  send_batch_size: z
    .int()
    .nonnegative()
    .default(8192)
    .describe(
      "Number of spans, data points or log records at which a batch is sent; 0 sends at once. " +
        "The Collector's default.",
    ),
  send_batch_max_size: z
    .int()
    .nonnegative()
    .default(0)
    .describe(
      "Most items in one batch; a larger request is split. 0 (default, as in the Collector) sets " +
        "no limit.",
    ),
  send_batch_max_bytes: z
    .int()
    .nonnegative()
    .default(4_000_000)
    .describe(
      "Most bytes in one batch; a larger request is split between items, and an item that alone " +
        "is larger goes by itself. 0 sets no limit. The default leaves 5 % below the 4 MiB that " +
        "a gRPC server accepts unless told otherwise, for attributes that are added on the way.",
    ),
  metadata_keys: z
    .array(z.string().min(1))
    .max(64)
    .default([])
    .describe(
      "Request metadata that is kept: requests with different values are batched apart. " +
        "The receiver must have `include_metadata: true`.",
    ),
  metadata_cardinality_limit: z
    .int()
    .positive()
    .default(1000)
    .describe(
      "Most combinations of metadata values that have something to send at the same time; " +
        "a request with one more is refused. The Collector's default.",
    ),
  num_consumers: z
    .int()
    .positive()
    .max(10_000)
    .default(10)
    .describe("Number of batches that are on their way to the next component at the same time."),
  pending_bytes_max: z
    .int()
    .positive()
    .default(134_217_728)
    .describe(
      "Bytes of everything that was accepted and not yet passed on, in all; above it requests are " +
        "refused for now. 128 MiB is two requests of the largest accepted size.",
    ),
});

/** The checked configuration; durations are milliseconds. */
export type BatchConfig = z.output<typeof batchKeys>;

/** What an operator may write under `batch:` in a configuration file. */
export const batchConfig = batchKeys
  .refine(({ send_batch_max_size: max, send_batch_size: size }) => max === 0 || max >= size, {
    path: ["send_batch_max_size"],
    error: ({ input }) => {
      const { send_batch_max_size: max, send_batch_size: size } = input as BatchConfig;
      return `is ${max}, must be at least \`send_batch_size\`, which is ${size}, or 0`;
    },
  })
  .refine(({ metadata_keys: keys }) => lowerCase(keys).size === keys.length, {
    path: ["metadata_keys"],
    message: "has a duplicate entry; upper and lower case are the same here",
  });

function lowerCase(names: readonly string[]): Set<string> {
  return new Set(names.map((name) => name.toLowerCase()));
}
