import { z } from "zod";
import { attributeActions } from "../../attribute-actions/config.js";
import { matchProblem } from "./check-match.js";

/** Most entries of one list of conditions. */
const CONDITIONS_MAX = 1_000;

const texts = () => z.array(z.string()).max(CONDITIONS_MAX).default([]);

const attributeConditions = () =>
  z
    .array(
      z.strictObject({
        key: z
          .string()
          .min(1, { error: "can't have empty key in the list of attributes" })
          .describe("Name of the attribute. Required."),
        value: z
          .unknown()
          .optional()
          .describe("Value it must have, or a pattern; without it any value will do."),
      }),
    )
    .max(CONDITIONS_MAX)
    .default([]);

const matchKeys = z.strictObject({
  match_type: z
    .enum(["strict", "regexp"])
    .describe("How texts are compared: equal, or by a pattern in Go's syntax. Required."),
  regexp: z
    .strictObject({
      cacheenabled: z
        .boolean()
        .default(false)
        .describe("Whether `cachemaxnumentries` holds; answers are remembered in any case."),
      cachemaxnumentries: z
        .int()
        .min(0)
        .max(1_000_000)
        .default(0)
        .describe("Texts whose answer each pattern remembers; 0 means 1,024."),
    })
    .prefault({})
    .describe("Memory of the patterns."),
  services: texts().describe("Names of services (`service.name`), for spans; one must match."),
  span_names: texts().describe("Names of spans; one must match."),
  span_kinds: texts().describe("Kinds of spans, such as `SPAN_KIND_SERVER`; one must match."),
  log_bodies: texts().describe("Bodies of log records, as text; one must match."),
  log_severity_texts: texts().describe("Severity texts of log records; one must match."),
  log_severity_number: z
    .strictObject({
      min: z.int().min(0).max(24).default(0).describe("Lowest severity number that matches."),
      match_undefined: z
        .boolean()
        .default(false)
        .describe("Whether a record without a severity number matches."),
    })
    .optional()
    .describe("Severity numbers of log records."),
  metric_names: texts().describe("Names of metrics; one must match."),
  attributes: attributeConditions().describe(
    "Attributes of the span or log record; all must match.",
  ),
  resources: attributeConditions().describe("Attributes of the Resource; all must match."),
  libraries: z
    .array(
      z.strictObject({
        name: z.string().describe("Name of the scope. Required."),
        version: z
          .string()
          .optional()
          .describe("Its version; without it any version will do, empty means none."),
      }),
    )
    .max(CONDITIONS_MAX)
    .default([])
    .describe("Instrumentation scopes; all must match."),
});

/** Conditions of `include` or `exclude`; all that are given must hold. */
export type MatchConfig = z.output<typeof matchKeys>;

// Which signal they are for is known only in a pipeline; what fits none is refused here already.
const matchConfig = matchKeys.superRefine((match, context) => {
  const problems = (["traces", "logs", "metrics"] as const).map((signal) => ({
    signal,
    message: matchProblem(match, signal),
  }));
  if (problems.some(({ message }) => message === undefined)) return;
  const message = problems.map((each) => `for ${each.signal} ${each.message}`).join("; ");
  context.addIssue({ code: "custom", message: `fits no signal: ${message}` });
});

/** What an operator may write under `attributes:` in a configuration file. */
export const attributesConfig = z.strictObject({
  include: matchConfig
    .optional()
    .describe("Which items the actions apply to; all of them when left out. Checked first."),
  exclude: matchConfig.optional().describe("Which items the actions do not apply to."),
  actions: attributeActions('missing required field "actions"').describe(
    "Actions on the attributes of every span, log record or data point, in the order written. Required.",
  ),
});

/** The checked configuration. */
export type AttributesConfig = z.output<typeof attributesConfig>;
