import { z } from "zod";
import { compileCondition } from "../../ottl/compile-condition.js";
import {
  CONDITIONS_MAX,
  conditionsIn,
  errorMode,
  explainCondition,
} from "../../ottl/condition-schema.js";
import { inferContext } from "../../ottl/infer-context.js";
import type { ContextName } from "../../ottl/path-fields.js";

/** A key that the Collector knows and that is answered with what to do instead. */
function refused(message: string) {
  return z.never({ error: message }).optional().describe(`Refused: ${message}.`);
}

function replaced(key: string) {
  return refused(`the include and exclude form is not supported, write conditions in \`${key}\``);
}

const traces = z.strictObject({
  resource: conditionsIn("resource").describe(
    "Conditions in context `resource`; a match drops everything of that Resource.",
  ),
  span: conditionsIn("span").describe("Conditions in context `span`; a match drops the span."),
  spanevent: conditionsIn("spanevent").describe(
    "Conditions in context `spanevent`; a match drops the event and keeps its span.",
  ),
});

const metrics = z.strictObject({
  resource: conditionsIn("resource").describe(
    "Conditions in context `resource`; a match drops everything of that Resource.",
  ),
  metric: conditionsIn("metric").describe(
    "Conditions in context `metric`; a match drops the metric with all its points.",
  ),
  datapoint: conditionsIn("datapoint").describe(
    "Conditions in context `datapoint`; a match drops the point, and its metric with the last one.",
  ),
  include: replaced("metrics.metric"),
  exclude: replaced("metrics.metric"),
});

const logs = z.strictObject({
  resource: conditionsIn("resource").describe(
    "Conditions in context `resource`; a match drops everything of that Resource.",
  ),
  log_record: conditionsIn("log").describe(
    "Conditions in context `log`; a match drops the log record.",
  ),
  include: replaced("logs.log_record"),
  exclude: replaced("logs.log_record"),
});

/** The contexts that conditions of each signal may be in, the widest first. */
export const contextsOf = {
  traces: ["resource", "scope", "span", "spanevent"],
  metrics: ["resource", "scope", "metric", "datapoint"],
  logs: ["resource", "scope", "log"],
} as const satisfies Readonly<Record<string, readonly ContextName[]>>;

/** What an operator may write under `filter:` in a configuration file. */
export const filterConfig = z
  .strictObject({
    error_mode: errorMode
      .default("ignore")
      .describe(
        "What happens when a condition has no answer for an item, such as a division by zero: " +
          "`propagate` refuses the whole batch for good, `ignore` counts and logs it and goes on " +
          "with the next condition, `silent` only counts it. `ignore` is the default of the " +
          "Collector's current versions, `propagate` was that of its older ones.",
      ),
    traces: traces.prefault({}).describe("What is dropped from traces. Lists are joined by OR."),
    metrics: metrics.prefault({}).describe("What is dropped from metrics."),
    logs: logs.prefault({}).describe("What is dropped from logs."),
    trace_conditions: inferred("traces").describe(
      "Conditions on traces with a context before every path, such as " +
        '`span.attributes["http.route"] == "/healthz"`, from which it follows what is dropped; or ' +
        "groups of `context` and `conditions`.",
    ),
    metric_conditions: inferred("metrics").describe("The same for metrics."),
    log_conditions: inferred("logs").describe("The same for logs."),
    spans: replaced("traces.span"),
    profiles: refused("profiles cannot be filtered"),
    profile_conditions: refused("profiles cannot be filtered"),
  })
  .refine(({ traces: old, trace_conditions: newer }) => !areBothUsed(old, newer), {
    path: ["trace_conditions"],
    message: "cannot stand beside `traces`; move its conditions here",
  })
  .refine(({ metrics: old, metric_conditions: newer }) => !areBothUsed(old, newer), {
    path: ["metric_conditions"],
    message: "cannot stand beside `metrics`; move its conditions here",
  })
  .refine(({ logs: old, log_conditions: newer }) => !areBothUsed(old, newer), {
    path: ["log_conditions"],
    message: "cannot stand beside `logs`; move its conditions here",
  });

/** The checked configuration. */
export type FilterConfig = z.output<typeof filterConfig>;

/** A condition and the context it is in. */
export interface PlacedCondition {
  readonly context: ContextName;
  readonly text: string;
}

function areBothUsed(
  old: Readonly<Record<string, readonly string[] | undefined>>,
  newer: readonly PlacedCondition[],
): boolean {
  return newer.length > 0 && Object.values(old).some((list) => (list?.length ?? 0) > 0);
}

/** Conditions with a context before every path, or groups of one context each. */
function inferred(signal: keyof typeof contextsOf) {
  const contexts: readonly ContextName[] = contextsOf[signal];
  const group = z.strictObject({
    context: z
      .enum(contextsOf[signal])
      .optional()
      .describe("The context of these conditions; inferred from their paths when left out."),
    conditions: z.array(z.string()).min(1).max(CONDITIONS_MAX).describe("Joined by OR."),
  });
  return z
    .array(z.union([z.string(), group]))
    .max(CONDITIONS_MAX)
    .default([])
    .transform((entries, issues) =>
      entries.flatMap((entry, index) => {
        const grouped = typeof entry === "string" ? { conditions: [entry] } : entry;
        const given = typeof entry === "string" ? undefined : entry.context;
        return grouped.conditions.flatMap((text, inner): PlacedCondition[] => {
          let context: ContextName | undefined;
          const message = explainCondition(() => {
            context = given ?? inferContext(text, contexts);
            compileCondition(text, context);
          });
          if (message === undefined && context !== undefined) return [{ context, text }];
          const path = typeof entry === "string" ? [index] : [index, "conditions", inner];
          issues.addIssue({ code: "custom", path, message: message ?? "" });
          return [];
        });
      }),
    );
}
