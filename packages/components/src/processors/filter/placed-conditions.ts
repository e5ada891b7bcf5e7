import { type Condition, compileCondition } from "../../ottl/compile-condition.js";
import type { ConditionSignal, PlacedConditions } from "../../ottl/condition-decider.js";
import type { EvaluationError } from "../../ottl/condition-error.js";
import { ConditionList } from "../../ottl/condition-list.js";
import type { ContextName } from "../../ottl/path-fields.js";
import type { FilterConfig, PlacedCondition } from "./config.js";

/** Compiles everything a configuration says about one signal, by context. */
export function conditionsOf(
  signal: ConditionSignal,
  config: FilterConfig,
  failed: (condition: Condition, error: EvaluationError) => void,
): PlacedConditions {
  const compiled = new Map<ContextName, Condition[]>();
  for (const { context, text } of writtenFor(signal, config)) {
    const list = compiled.get(context) ?? [];
    list.push(compileCondition(text, context));
    compiled.set(context, list);
  }
  const lists = new Map<ContextName, ConditionList>();
  for (const [context, conditions] of compiled) {
    lists.set(context, new ConditionList(conditions, config.error_mode, failed));
  }
  return lists;
}

function writtenFor(signal: ConditionSignal, config: FilterConfig): readonly PlacedCondition[] {
  const { traces, metrics, logs } = config;
  switch (signal) {
    case "traces":
      return [
        ...placed("resource", traces.resource),
        ...placed("span", traces.span),
        ...placed("spanevent", traces.spanevent),
        ...config.trace_conditions,
      ];
    case "metrics":
      return [
        ...placed("resource", metrics.resource),
        ...placed("metric", metrics.metric),
        ...placed("datapoint", metrics.datapoint),
        ...config.metric_conditions,
      ];
    case "logs":
      return [
        ...placed("resource", logs.resource),
        ...placed("log", logs.log_record),
        ...config.log_conditions,
      ];
  }
}

function placed(context: ContextName, texts: readonly string[]): PlacedCondition[] {
  return texts.map((text) => ({ context, text }));
}
