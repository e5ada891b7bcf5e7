import { duration } from "@inode-gateway/config";
import { z } from "zod";

/** What an operator may write under `memory_registry:` in a configuration file. */
export const memoryRegistryConfig = z.strictObject({
  file: z
    .string()
    .min(1)
    .optional()
    .describe(
      "File of mappings to load and follow, JSON lines as `inode-gateway registry export` writes " +
        "them. Without one the registry is filled by an `inode_reporter` in the same process.",
    ),
  poll_interval: duration({ minMs: 10 })
    .prefault("5s")
    .describe(
      "How often the file is looked at, beside the file system's own notice; for file systems that " +
        "give none, such as network mounts.",
    ),
  retention: duration({ minMs: 1 })
    .prefault("1h")
    .describe("How long a vanished container still resolves, so that late telemetry does."),
  node_retention: duration({ minMs: 1 })
    .prefault("24h")
    .describe("How long a node without a heartbeat is remembered: a day's outage of its reporter."),
  heartbeat_timeout: duration({ minMs: 1 })
    .prefault("90s")
    .describe(
      "How long after its last heartbeat a node counts as stale: three heartbeats of 30 s.",
    ),
});

/** The checked configuration; durations are milliseconds. */
export type MemoryRegistryConfig = z.output<typeof memoryRegistryConfig>;
