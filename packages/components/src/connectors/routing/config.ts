import { z } from "zod";
import { compileCondition, compileRouteStatement } from "../../ottl/compile-condition.js";
import { errorMode, explainCondition } from "../../ottl/condition-schema.js";
import { parseRequestCondition } from "./request-condition.js";

/** Routes in one table, at most. */
export const ROUTES_MAX = 1_000;

const pipelines = z.array(z.string().min(1)).max(ROUTES_MAX);

const route = z
  .strictObject({
    context: z
      .enum(["resource", "span", "metric", "datapoint", "log", "request"])
      .default("resource")
      .describe(
        "What the condition looks at, and what goes its way as a whole: the telemetry of a " +
          "Resource (the Collector's default), single items, or the whole request by its metadata.",
      ),
    condition: z
      .string()
      .optional()
      .describe(
        "Condition in OTTL. In context `request` only " +
          '`request["key"] == "value"` and `!=`; the receiver needs `include_metadata: true`.',
      ),
    statement: z
      .string()
      .optional()
      .describe("The same as a statement, `route() where ...`; instead of `condition`."),
    pipelines: pipelines.min(1).describe("IDs of the pipelines that what matches goes to."),
    action: z
      .enum(["move", "copy"])
      .default("move")
      .describe(
        "`move` (the Collector's default) takes what matches away from the routes below; `copy` " +
          "leaves it for them too.",
      ),
  })
  .superRefine(({ condition, context, statement }, issues) => {
    if ((condition === undefined) === (statement === undefined)) {
      const message = "needs exactly one of `condition` and `statement`";
      issues.addIssue({ code: "custom", message });
      return;
    }
    if (context === "request") {
      const message =
        condition === undefined
          ? "context `request` takes a `condition`, no `statement`"
          : explainCondition(() => parseRequestCondition(condition));
      if (message === undefined) return;
      const path = condition === undefined ? ["statement"] : ["condition"];
      issues.addIssue({ code: "custom", path, message });
      return;
    }
    const message = explainCondition(() => {
      if (condition !== undefined) compileCondition(condition, context);
      else compileRouteStatement(statement ?? "", context);
    });
    if (message === undefined) return;
    const path = [condition === undefined ? "statement" : "condition"];
    issues.addIssue({ code: "custom", path, message });
  });

/** What an operator may write under `routing:` in a configuration file. */
export const routingConfig = z.strictObject({
  error_mode: errorMode
    .default("propagate")
    .describe(
      "What happens when a condition has no answer: `propagate` refuses the whole batch for good, " +
        "`ignore` logs it and tries the next route, `silent` does so without a log. The " +
        "Collector's default.",
    ),
  table: z
    .array(route)
    .min(1)
    .max(ROUTES_MAX)
    .describe("The routes, tried from top to bottom on what no earlier route has taken."),
  default_pipelines: pipelines
    .default([])
    .describe(
      "IDs of the pipelines that everything else goes to. Without them it is dropped and counted " +
        "as `no_route`.",
    ),
  match_once: z
    .never({
      error:
        "was removed from the Collector in v0.120.0; every item takes the first route that " +
        "matches, write `action: copy` where others should see it too",
    })
    .optional()
    .describe("Refused: the Collector removed it in v0.120.0."),
});

/** The checked configuration. */
export type RoutingConfig = z.output<typeof routingConfig>;

/** One checked entry of the table. */
export type RouteConfig = RoutingConfig["table"][number];
