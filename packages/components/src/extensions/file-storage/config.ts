import { duration, withEnvironmentCheck } from "@inode-gateway/config";
import { z } from "zod";
import { checkDirectory } from "./storage-directory.js";

const MEBIBYTE = 1_048_576;

/** A mebibyte is a handful of requests; a tebibyte is more than any outage fills. */
const MAX_BYTES_LIMITS = { min: MEBIBYTE, max: MEBIBYTE * MEBIBYTE };

const compaction = z.strictObject({
  on_start: z
    .boolean()
    .default(false)
    .describe("Whether the data file is rewritten without its free pages before it is used."),
  on_rebound: z
    .boolean()
    .default(false)
    .describe("No effect: free pages are used again while the process runs."),
  directory: z
    .string()
    .default("")
    .describe("No effect: the copy is made beside the data file, which it replaces in one step."),
  max_transaction_size: z.int().nonnegative().default(65_536).describe("No effect."),
  cleanup_on_start: z
    .boolean()
    .default(false)
    .describe("No effect: what an interrupted compaction left is always removed."),
  rebound_needed_threshold_mib: z.int().nonnegative().default(100).describe("No effect."),
  rebound_trigger_threshold_mib: z.int().nonnegative().default(10).describe("No effect."),
  check_interval: duration().prefault("5s").describe("No effect."),
});

const keys = z.strictObject({
  directory: z
    .string()
    .min(1, "must not be empty")
    .default("/var/lib/otelcol/file_storage")
    .describe("Directory of the data file; every replica needs one of its own."),
  timeout: duration({ minMs: 1, maxMs: 3_600_000 })
    .prefault("1s")
    .describe(
      "How long the directory is waited for while another process holds it, and how long one " +
        "write may take before it is refused.",
    ),
  fsync: z
    .boolean()
    .default(true)
    .describe(
      "Whether a record is acknowledged only when the disk has it. The Collector's default is " +
        "false: acknowledged records survive a crash of the process, a loss of power may cost the file.",
    ),
  create_directory: z
    .boolean()
    .default(false)
    .describe("Whether a missing directory is made, with its parents."),
  directory_permissions: z
    .string()
    .regex(/^0?[0-7]{3}$/, 'must be an octal number between quotes, such as `"0750"`')
    .default("0750")
    .describe("Octal permissions of a directory that is made, before the umask."),
  recreate: z
    .boolean()
    .default(true)
    .describe(
      "Whether a damaged data file is moved aside and an empty one is begun; the start fails " +
        "otherwise. The Collector's default is false.",
    ),
  max_bytes: z
    .int()
    .min(MAX_BYTES_LIMITS.min)
    .max(MAX_BYTES_LIMITS.max)
    .default(10_737_418_240)
    .describe(
      "What all queues in the directory may take together, in whole pages of the data file; the file " +
        "itself never grows above twice that and 16 MiB.",
    ),
  compaction: compaction
    .prefault({})
    .describe("The Collector's keys; only `on_start` has an effect."),
});

/** What an operator may write under `file_storage:` in a configuration file. */
export const fileStorageConfig = withEnvironmentCheck(keys, (config) =>
  checkDirectory(config.directory, config.create_directory),
);

/** The checked configuration; durations are milliseconds. */
export type FileStorageConfig = z.output<typeof fileStorageConfig>;
