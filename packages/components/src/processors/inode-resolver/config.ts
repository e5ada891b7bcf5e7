import { duration } from "@inode-gateway/config";
import { z } from "zod";

const holdConfig = z.strictObject({
  timeout: duration()
    .prefault("300ms")
    .describe(
      "How long a batch waits for a mapping that its node has not published yet; 0s never waits. " +
        "A reporter publishes within 50 ms, so 300 ms leaves room for a busy node.",
    ),
  bytes_max: z
    .int()
    .nonnegative()
    .default(67_108_864)
    .describe(
      "Bytes of all waiting batches together; above it a batch passes on unresolved. " +
        "64 MiB is one request of the largest accepted size.",
    ),
  batches_max: z
    .int()
    .nonnegative()
    .default(10_000)
    .describe(
      "Number of batches that wait at the same time; above it a batch passes on unresolved. " +
        "Every waiting batch is also a sender that waits for its answer.",
    ),
});

const resourceCacheConfig = z.strictObject({
  max_entries: z
    .int()
    .nonnegative()
    .default(65_536)
    .describe(
      "Number of distinct Resources whose result is remembered; 0 remembers none. " +
        "SDKs send the same Resource bytes in every request, so one entry serves one application.",
    ),
  max_bytes: z
    .int()
    .nonnegative()
    .default(67_108_864)
    .describe(
      "Bytes of all remembered Resources and results together, bookkeeping included. " +
        "64 MiB holds about 40,000 Resources of the usual size.",
    ),
  max_age: duration()
    .prefault("5m")
    .describe(
      "How long a resolved Resource is believed before the registry is asked again. A mapping never " +
        "changes within one boot; the age bounds how late metadata may arrive when its publication " +
        "was not heard.",
    ),
});

/** What an operator may write under `inode_resolver:` in a configuration file. */
export const inodeResolverConfig = z
  .strictObject({
    registry: z
      .string()
      .min(1)
      .describe("ID of the extension that holds the mappings, such as `redis_registry`. Required."),
    hold: holdConfig
      .prefault({})
      .describe("Waiting for the mapping of a container that has just started."),
    keep_inode: z
      .boolean()
      .default(false)
      .describe(
        "Whether inode, device and boot ID stay on a Resource that was resolved. Off, because they " +
          "identify the host and say nothing more once `container.id` is there.",
      ),
    container_id_conflict: z
      .enum(["replace", "keep"])
      .default("replace")
      .describe(
        "What happens to a `container.id` of the sender that differs from the node's. Replaced, " +
          "since detectors inside containers often find the ID of a sandbox, a volume or an overlay.",
      ),
    overwrite_attributes: z
      .boolean()
      .default(false)
      .describe(
        "Whether the node's metadata replaces attributes that the sender set. Off: the sender knows " +
          "its own names best.",
      ),
    inode_attributes: z
      .array(z.string().min(1))
      .max(16)
      .default(["datadog.container.cgroup_inode"])
      .describe(
        "Further attributes that carry the inode, tried in this order after " +
          "`container.cgroup.inode`. The default is what Datadog's libraries send.",
      ),
    enrich: z
      .union([z.enum(["all", "none"]), z.array(z.string().min(1)).max(256)])
      .default("all")
      .describe(
        "Which of the node's metadata is written beside `container.id`: `all` (default: everything " +
          "the node knows), `none`, or a list of attribute names.",
      ),
    resource_cache: resourceCacheConfig
      .prefault({})
      .describe("Memory of Resources that were seen before."),
  })
  .refine(({ hold }) => hold.timeout === 0 || hold.bytes_max > 0, {
    path: ["hold", "bytes_max"],
    message: "must be above 0 while `hold.timeout` is above 0s",
  })
  .refine(({ hold }) => hold.timeout === 0 || hold.batches_max > 0, {
    path: ["hold", "batches_max"],
    message: "must be above 0 while `hold.timeout` is above 0s",
  });

/** The checked configuration; durations are milliseconds. */
export type InodeResolverConfig = z.output<typeof inodeResolverConfig>;
