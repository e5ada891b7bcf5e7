import { reporterConfig } from "@inode-gateway/reporter";
import { z } from "zod";

/** What an operator may write under `inode_reporter:`: a reporter's own keys, and where it publishes. */
export const inodeReporterConfig = reporterConfig.safeExtend({
  registry: z
    .string()
    .min(1)
    .describe(
      "ID of the extension that the node's containers are published in, such as `memory_registry`. " +
        "Required.",
    ),
});

/** The checked configuration; durations are milliseconds. */
export type InodeReporterConfig = z.output<typeof inodeReporterConfig>;
