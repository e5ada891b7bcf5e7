import { duration } from "@inode-gateway/config";
import { z } from "zod";

/** A text that may be left out, empty or null, as an unset environment variable leaves it. */
const optionalText = z
  .string()
  .nullish()
  .transform((text) => (text === null || text === "" ? undefined : text));

const limits = z.strictObject({
  max_depth: z
    .int()
    .min(1)
    .max(1_000)
    .default(32)
    .describe("Levels below a hierarchy's root that are read; deeper directories are counted."),
  max_directories: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(65_536)
    .describe("Directories remembered on the whole node, all hierarchies together."),
  max_directories_per_container: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(4_096)
    .describe("Directories remembered below one outermost container, its own one included."),
  max_name_length: z
    .int()
    .min(1)
    .max(255)
    .default(255)
    .describe("Bytes of a directory's name; a longer one is neither read nor entered."),
});

/** What an operator may write under `reporter:` or for the `inode_reporter` extension. */
export const reporterConfig = z
  .strictObject({
    cgroup_root: z
      .string()
      .min(1)
      .default("/sys/fs/cgroup")
      .describe("Where the node's cgroup file system is mounted, read-only is enough."),
    boot_id_path: z
      .string()
      .min(1)
      .default("/proc/sys/kernel/random/boot_id")
      .describe("File that holds the boot ID of the node's kernel."),
    hierarchy: z
      .enum(["auto", "v2", "hybrid", "v1"])
      .default("auto")
      .describe(
        "How cgroups are mounted; `auto` asks the file system, stating it makes a plain directory tree readable.",
      ),
    hierarchies: z
      .array(z.string().min(1).max(255))
      .max(64)
      .default([])
      .describe(
        "Folders below `cgroup_root` to read on a hybrid or v1 node; empty reads all, which inodes without a device need.",
      ),
    node_name: optionalText.describe(
      "`k8s.node.name` of this node; usually taken from the environment.",
    ),
    host_name: optionalText.describe(
      "`host.name` of this node; default is the kernel's host name.",
    ),
    host_id_path: z
      .string()
      .min(1)
      .default("/etc/machine-id")
      .describe("File that holds `host.id`; left out of the node record when it cannot be read."),
    sweep_interval: duration()
      .prefault("30s")
      .describe("How often every directory is checked for what no event told."),
    fallback_sweep_interval: duration()
      .prefault("1s")
      .describe("The same while a directory could not be watched for lack of inotify watches."),
    reconcile_interval: duration()
      .prefault("10m")
      .describe("How often the registry's whole view of the node is compared with the node."),
    heartbeat_interval: duration()
      .prefault("30s")
      .describe(
        "How often the registry is told that the node is alive; keep it well below the registry's `heartbeat_timeout`.",
      ),
    publish_delay: duration()
      .prefault("5ms")
      .describe("How long a change waits for others to be published with it, at most 1s."),
    publish_timeout: duration()
      .prefault("5s")
      .describe("How long one call to the registry may take before it counts as failed."),
    limits: limits.prefault({}).describe("What one node may cost the reporter."),
  })
  .superRefine((config, context) => {
    const positive = [
      "sweep_interval",
      "fallback_sweep_interval",
      "reconcile_interval",
      "heartbeat_interval",
      "publish_timeout",
    ] as const;
    for (const key of positive) {
      if (config[key] > 0) continue;
      context.addIssue({ code: "custom", path: [key], message: "must be above 0s" });
    }
    if (config.publish_delay > 1_000) {
      context.addIssue({
        code: "custom",
        path: ["publish_delay"],
        message: `is ${config.publish_delay} ms, at most 1s is sensible: telemetry waits for it`,
      });
    }
    if (config.hierarchies.length > 0 && config.hierarchy === "v2") {
      context.addIssue({
        code: "custom",
        path: ["hierarchies"],
        message: "has no meaning with `hierarchy: v2`, which has one hierarchy only",
      });
    }
  });

/** A checked `reporter:` section; durations are milliseconds. */
export type ReporterConfig = z.output<typeof reporterConfig>;
