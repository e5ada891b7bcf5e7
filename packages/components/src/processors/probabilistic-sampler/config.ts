import { z } from "zod";
import { MIN_PROBABILITY } from "./threshold.js";

const PERCENT = 100;
const UINT32_MAX = 0xffff_ffff;

/** What an operator may write under `probabilistic_sampler:` in a configuration file. */
export const probabilisticSamplerConfig = z.strictObject({
  sampling_percentage: z
    .number({ error: ({ input }) => `sampling rate is invalid: ${String(input)}%` })
    .default(0)
    .superRefine((percentage, context) => {
      const message = percentageProblem(Math.fround(percentage));
      if (message !== undefined) context.addIssue({ code: "custom", message });
    })
    .describe(
      "How many of a hundred items are kept; 100 and more keep all, 0 (default) none. 32-bit precision.",
    ),
  mode: z
    .enum(["hash_seed", "proportional", "equalizing"])
    .default("hash_seed")
    .describe(
      "`hash_seed` decides by a hash of the trace ID, `equalizing` by the trace ID's own randomness so " +
        "that all end at one probability, `proportional` so that each item's probability is multiplied.",
    ),
  hash_seed: z
    .int()
    .min(0)
    .max(UINT32_MAX)
    .default(0)
    .describe(
      "Seed of the hash. The same in all replicas of one tier, another one in the tier behind it.",
    ),
  fail_closed: z
    .boolean()
    .default(true)
    .describe(
      "Whether items that give nothing to decide by, or wrong sampling fields, are dropped.",
    ),
  sampling_precision: z
    .int()
    .min(1, { error: ({ input }) => `invalid sampling precision: ${String(input)}` })
    .max(14, {
      error: ({ input }) => `sampling precision is too great, should be <= 14: ${String(input)}`,
    })
    .default(4)
    .describe("Hexadecimal digits of the threshold that is written, 1 to 14."),
  attribute_source: z
    .enum(["traceID", "record"])
    .default("traceID")
    .describe(
      "What decides over log records: the trace ID, or only the attribute `from_attribute`.",
    ),
  from_attribute: z
    .string()
    .default("")
    .describe(
      "Attribute of log records that is hashed when there is no trace ID, or by `attribute_source: record`.",
    ),
  sampling_priority: z
    .string()
    .default("")
    .describe(
      "Attribute of log records that holds the percentage for this record, instead of the general one.",
    ),
});

/** The checked configuration. */
export type ProbabilisticSamplerConfig = z.output<typeof probabilisticSamplerConfig>;

function percentageProblem(percentage: number): string | undefined {
  if (!Number.isFinite(percentage)) return `sampling rate is invalid: ${percentage}%`;
  if (percentage < 0) return `sampling rate is negative: ${percentage}%`;
  if (percentage === 0 || percentage / PERCENT >= MIN_PROBABILITY) return undefined;
  return `sampling rate is too small: ${percentage}%`;
}
