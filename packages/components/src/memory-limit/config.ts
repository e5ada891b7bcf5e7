import { duration } from "@inode-gateway/config";
import { z } from "zod";
import { timerDuration } from "../transport/timer-duration.js";

/** The Collector keeps these numbers in 32 bits. */
const UINT32_MAX = 4_294_967_295;

const percentage = z
  .int()
  .min(0, "must be greater than zero and less than or equal to hundred")
  .max(100, "must be greater than zero and less than or equal to hundred");

const mebibytes = z.int().nonnegative().max(UINT32_MAX);

const limitKeys = z.strictObject({
  check_interval: timerDuration()
    .prefault("1s")
    .describe(
      "How often memory is measured while nobody sends; every request looks as well, at most once " +
        "in 10 ms. The Collector demands a value, ours is what it recommends.",
    ),
  limit_mib: mebibytes
    .default(0)
    .describe(
      "Hard limit of resident memory in MiB; 0 leaves it to `limit_percentage`. One of the two is " +
        "needed, this one wins.",
    ),
  spike_limit_mib: mebibytes
    .default(0)
    .describe(
      "MiB below the hard limit at which everything is refused; must be below `limit_mib`, " +
        "0 is 20 % of it. As much as may arrive before a refusal takes effect.",
    ),
  limit_percentage: percentage
    .default(0)
    .describe(
      "Hard limit in percent of the memory this process may have: the smallest limit of its " +
        "cgroup (v1 or v2) and all above it, else the machine's memory.",
    ),
  spike_limit_percentage: percentage
    .default(0)
    .describe("The same for the distance of the soft limit; 0 is 20 % of the hard limit."),
  min_gc_interval_when_soft_limited: duration()
    .prefault("1s")
    .describe(
      "Shortest time between two forced collections above the soft limit. The Collector has 10s; " +
        "here a collection takes some 10 ms, and nothing else frees memory while all is refused.",
    ),
  min_gc_interval_when_hard_limited: duration()
    .prefault("0s")
    .describe("The same above the hard limit; never shorter than 95 % of `check_interval`."),
  max_gc_interval_when_soft_limited: duration()
    .prefault("5s")
    .describe(
      "Longest time between two forced collections above the soft limit: it doubles while they " +
        "free nothing, up to this. 0s never doubles it. The Collector has 30s.",
    ),
  max_gc_interval_when_hard_limited: duration()
    .prefault("5s")
    .describe("The same above the hard limit. The Collector has 30s."),
});

/** The checked configuration; durations are milliseconds. */
export type MemoryLimitConfig = z.output<typeof limitKeys>;

type Rule = readonly [keyof MemoryLimitConfig, (config: MemoryLimitConfig) => string | undefined];

/** What the Collector checks, in its order and its words. */
const rules: readonly Rule[] = [
  [
    "check_interval",
    ({ check_interval: interval }) =>
      interval > 0 ? undefined : "`check_interval` must be greater than zero",
  ],
  [
    "min_gc_interval_when_soft_limited",
    (config) =>
      config.min_gc_interval_when_soft_limited >= config.min_gc_interval_when_hard_limited
        ? undefined
        : "`min_gc_interval_when_soft_limited` should be larger than " +
          "`min_gc_interval_when_hard_limited`",
  ],
  ["max_gc_interval_when_soft_limited", (config) => shortMaximum(config, "soft")],
  ["max_gc_interval_when_hard_limited", (config) => shortMaximum(config, "hard")],
  ["max_gc_interval_when_soft_limited", impatientSoftMaximum],
  [
    "limit_mib",
    (config) =>
      config.limit_mib > 0 || config.limit_percentage > 0
        ? undefined
        : "`limit_mib` or `limit_percentage` must be greater than zero",
  ],
  ["spike_limit_mib", (config) => largeSpike(config, "mib")],
  ["spike_limit_percentage", (config) => largeSpike(config, "percentage")],
];

/** What an operator may write under `memory_limiter:`, as a processor and as an extension. */
export const memoryLimitConfig = limitKeys.superRefine((config, context) => {
  for (const [key, problemOf] of rules) {
    const message = problemOf(config);
    if (message === undefined) continue;
    context.addIssue({ code: "custom", path: [key], message });
    return;
  }
});

function shortMaximum(config: MemoryLimitConfig, limit: "soft" | "hard"): string | undefined {
  const min = config[`min_gc_interval_when_${limit}_limited`];
  const max = config[`max_gc_interval_when_${limit}_limited`];
  if (max === 0 || max >= min) return undefined;
  return (
    `\`max_gc_interval_when_${limit}_limited\` must be greater than or equal to ` +
    `\`min_gc_interval_when_${limit}_limited\` (or 0 to disable)`
  );
}

function impatientSoftMaximum(config: MemoryLimitConfig): string | undefined {
  const { max_gc_interval_when_hard_limited: hard, max_gc_interval_when_soft_limited: soft } =
    config;
  if (soft === 0 || hard === 0 || soft >= hard) return undefined;
  return (
    "`max_gc_interval_when_soft_limited` should be larger than or equal to " +
    "`max_gc_interval_when_hard_limited` (when both are set)"
  );
}

function largeSpike(config: MemoryLimitConfig, unit: "mib" | "percentage"): string | undefined {
  const limit = config[`limit_${unit}`];
  const spike = config[`spike_limit_${unit}`];
  if (limit === 0 || spike < limit) return undefined;
  return (
    `\`spike_limit_${unit}\` must be smaller than \`limit_${unit}\`: ` +
    `it is ${spike}, \`limit_${unit}\` is ${limit}`
  );
}
