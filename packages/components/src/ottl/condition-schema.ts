import { z } from "zod";
import { compileCondition } from "./compile-condition.js";
import { ConditionSyntaxError } from "./condition-error.js";
import type { ContextName } from "./path-fields.js";

/** Conditions in one list of a configuration, at most. */
export const CONDITIONS_MAX = 1_000;

/** A condition as seen from a context, checked when the configuration is. */
export function conditionIn(context: ContextName) {
  return z.string().superRefine((text, issues) => {
    const message = explainCondition(() => compileCondition(text, context));
    if (message !== undefined) issues.addIssue({ code: "custom", message });
  });
}

/** A list of conditions, joined by OR. */
export function conditionsIn(context: ContextName) {
  return z.array(conditionIn(context)).max(CONDITIONS_MAX).default([]);
}

/** What `error_mode` may be. */
export const errorMode = z.enum(["ignore", "silent", "propagate"]);

/** Why a condition cannot be compiled; undefined when it can. */
export function explainCondition(compile: () => unknown): string | undefined {
  try {
    compile();
    return undefined;
  } catch (error) {
    if (error instanceof ConditionSyntaxError) return error.message;
    throw error;
  }
}
