import { duration } from "@inode-gateway/config";
import { z } from "zod";
import { timerDuration } from "../transport/timer-duration.js";

/** What an operator may write under `retry_on_failure:` of an exporter; the Collector's keys. */
export const retryOnFailure = () =>
  z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe("Whether a delivery that may succeed later is tried again."),
      initial_interval: timerDuration()
        .prefault("5s")
        .describe("Wait before the second try; the Collector's default."),
      randomization_factor: z
        .number()
        .min(0)
        .max(1)
        .default(0.5)
        .describe("Part by which a wait is made longer or shorter at random, 0 to 1."),
      multiplier: z
        .number()
        .min(1)
        .default(1.5)
        .describe("Factor from one wait to the next, at least 1."),
      max_interval: timerDuration().prefault("30s").describe("Longest wait between two tries."),
      max_elapsed_time: duration()
        .prefault("300s")
        .describe("Time after which a batch is given up; 0s never gives up."),
    })
    .prefault({});

/** What an operator may write under `sending_queue:` of an exporter; the Collector's keys. */
export const sendingQueue = () =>
  z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe(
          "Whether a queue in memory stands before the destination; then a sender is acknowledged as soon as its data is queued.",
        ),
      num_consumers: z
        .int()
        .positive()
        .max(10_000)
        .default(10)
        .describe("Deliveries at the same time; the Collector's default."),
      queue_size: z
        .int()
        .positive()
        .default(1000)
        .describe(
          "What the queue may hold, in the unit of `sizer`, including what is being sent; the Collector's default.",
        ),
      sizer: z
        .enum(["requests", "items", "bytes"])
        .default("requests")
        .describe("Unit of `queue_size`: requests, items (spans, points, records) or bytes."),
      block_on_overflow: z
        .boolean()
        .default(false)
        .describe("Whether a sender waits for room in a full queue instead of being refused."),
      wait_for_result: z
        .boolean()
        .default(false)
        .describe("Whether a sender is acknowledged only when the destination has its data."),
    })
    .prefault({});

/** The checked section `retry_on_failure`. */
export type RetryConfig = z.output<ReturnType<typeof retryOnFailure>>;
/** The checked section `sending_queue`. */
export type SendingQueueConfig = z.output<ReturnType<typeof sendingQueue>>;
