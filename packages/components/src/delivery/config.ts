import { duration } from "@inode-gateway/config";
import type { ExtensionReference } from "@inode-gateway/contract";
import { z } from "zod";
import { TIMER_MS_MAX, timerDuration } from "../transport/timer-duration.js";

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

const batchKeys = () =>
  z.strictObject({
    flush_timeout: duration({ minMs: 1, maxMs: TIMER_MS_MAX })
      .prefault("200ms")
      .describe(
        "How long a request waits for others to be merged with, at least 1ms. The Collector's default.",
      ),
    min_size: z
      .int()
      .nonnegative()
      .default(8192)
      .describe(
        "Size at which merged requests are sent, in the unit of `batch::sizer`; 0 sends each at once. The Collector's default.",
      ),
    max_size: z
      .int()
      .nonnegative()
      .default(0)
      .describe(
        "Largest size of one request on the wire, in the unit of `batch::sizer`; a larger one is split. 0 (default, as in the Collector) sets no limit.",
      ),
    sizer: z
      .enum(["items", "bytes"])
      .optional()
      .describe(
        "Unit of `min_size` and `max_size`; unset is the unit of `sending_queue::sizer`, or items when that is requests.",
      ),
    partition: z
      .strictObject({
        metadata_keys: z
          .array(z.string().min(1))
          .max(64)
          .default([])
          .describe(
            "Request metadata by which requests are merged apart, and which stays with them; a receiver must have `include_metadata: true`.",
          ),
      })
      .refine(({ metadata_keys: keys }) => lowerCase(keys).size === keys.length, {
        path: ["metadata_keys"],
        message: "has a duplicate entry; upper and lower case are the same here",
      })
      .prefault({})
      .describe("What keeps requests from being merged with each other."),
  });

/** The same as {@link sendingQueue} where an exporter has no queue unless one is written. */
export const optionalSendingQueue = () => queueKeys().optional();

/** What an operator may write under `sending_queue:` of an exporter; the Collector's keys. */
export const sendingQueue = () => queueKeys().prefault({});

const queueKeys = () =>
  z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe(
          "Whether a queue stands before the destination; then a sender is acknowledged as soon as its data is queued.",
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
      storage: z
        .string()
        .min(1)
        .optional()
        .describe(
          "ID of the extension that keeps the queue on disk, such as `file_storage`; then a sender is acknowledged when the disk has its data, and a restart loses nothing. Unset keeps the queue in memory. Not with `wait_for_result`.",
        ),
      batch: batchKeys()
        .optional()
        .describe(
          "Merges requests in the queue into larger ones; `batch: {}` turns it on, absent is off. Profiles are never merged.",
        ),
    })
    .superRefine((queue, context) => {
      if (!queue.enabled) return;
      const issue = (path: readonly string[], message: string) =>
        context.addIssue({ code: "custom", path: [...path], message });
      if (queue.storage !== undefined && queue.wait_for_result) {
        issue(
          ["wait_for_result"],
          "`wait_for_result` is not supported with a persistent queue configured with `storage`",
        );
      }
      if (queue.batch === undefined) return;
      const { max_size: max, min_size: min } = queue.batch;
      if (max > 0 && max < min) {
        issue(
          ["batch", "max_size"],
          `is ${max}, must be at least \`min_size\`, which is ${min}, or 0`,
        );
      }
      if (batchSizer(queue) === queue.sizer && min > queue.queue_size) {
        const message = `is ${min}, must be at most \`queue_size\`, which is ${queue.queue_size}: both are in ${queue.sizer}`;
        issue(["batch", "min_size"], message);
      }
    });

/** The checked section `sending_queue::batch`. */
export type QueueBatchConfig = z.output<ReturnType<typeof batchKeys>>;

/** Unit in which `sending_queue::batch` measures, as the Collector inherits it. */
export function batchSizer(queue: {
  readonly sizer: "requests" | "items" | "bytes";
  readonly batch?: { readonly sizer?: "items" | "bytes" | undefined } | undefined;
}): "items" | "bytes" {
  return queue.batch?.sizer ?? (queue.sizer === "bytes" ? "bytes" : "items");
}

/** The extension that an exporter's queue refers to, for its factory. */
export function storageReferences(
  queue: SendingQueueConfig | undefined,
): readonly ExtensionReference[] {
  if (!isPersistent(queue) || queue?.storage === undefined) return [];
  return [{ extensionId: queue.storage, path: ["sending_queue", "storage"] }];
}

/** Whether an exporter's queue is on disk, where only one instance can have it. */
export function isPersistent(queue: SendingQueueConfig | undefined): boolean {
  return queue?.enabled === true && queue.storage !== undefined;
}

function lowerCase(names: readonly string[]): Set<string> {
  return new Set(names.map((name) => name.toLowerCase()));
}

/** The checked section `retry_on_failure`. */
export type RetryConfig = z.output<ReturnType<typeof retryOnFailure>>;
/** The checked section `sending_queue`. */
export type SendingQueueConfig = z.output<ReturnType<typeof sendingQueue>>;
