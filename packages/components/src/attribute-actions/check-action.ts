import { GoRegExp } from "../go-regexp/go-regexp.js";
import type { ActionConfig } from "./config.js";
import { configuredValueProblem } from "./configured-value.js";
import { conversionTargets } from "./convert-value.js";

/** What an `action` may be; for messages. */
const ACTIONS = "insert, update, upsert, delete, hash, extract, convert";

/**
 * What is wrong with one action, in the Collector's words; undefined when nothing is.
 *
 * @param index of the action in its list, from 0
 */
export function checkAction(action: ActionConfig, index: number): string | undefined {
  const isByPattern = action.action === "delete" || action.action === "hash";
  if (action.key === "" && !(isByPattern && action.pattern !== "")) {
    const missing = isByPattern ? '(at least one of "key" and "pattern" have to be used)' : '"key"';
    return `missing required field ${missing} at the ${index}-th action`;
  }
  const problem = problemOf(action);
  return problem && `error with key ${JSON.stringify(action.key)} (${index}-th action): ${problem}`;
}

function problemOf(action: ActionConfig): string | undefined {
  switch (action.action) {
    case "insert":
    case "update":
    case "upsert":
      return settingProblem(action);
    case "delete":
    case "hash":
      if (isSet(action.value) || action.from_attribute !== "") {
        return notUsed(action, '"value" or "from_attribute" field', "These");
      }
      return patternProblem(action) ?? convertedTypeProblem(action);
    case "extract":
      return extractProblem(action);
    case "convert":
      return convertProblem(action);
    default:
      return `unsupported action ${JSON.stringify(action.action)}, supported are ${ACTIONS}`;
  }
}

function settingProblem(action: ActionConfig): string | undefined {
  const sources = sourceCount(action);
  if (sources === 0 && !isSet(action.default_value)) {
    return 'either field "value", "from_attribute", "from_context", or "default_value" must be specified';
  }
  if (sources > 1) return "multiple value sources being set";
  if (action.pattern !== "") return notUsed(action, 'the "pattern" field', "This");
  for (const key of ["value", "default_value"] as const) {
    const problem = isSet(action[key]) ? configuredValueProblem(action[key]) : undefined;
    if (problem !== undefined) return `invalid "${key}": ${problem}`;
  }
  return convertedTypeProblem(action);
}

function extractProblem(action: ActionConfig): string | undefined {
  if (sourceCount(action) > 0) return notUsed(action, "a value source field", "These");
  if (action.pattern === "") return 'missing required field "pattern" for action "extract"';
  const invalid = convertedTypeProblem(action) ?? patternProblem(action);
  if (invalid !== undefined) return invalid;
  const { groupNames } = new GoRegExp(action.pattern);
  if (groupNames.length === 0) return 'field "pattern" contains no named matcher groups';
  if (groupNames.includes("")) return 'field "pattern" contains at least one unnamed matcher group';
  return undefined;
}

function convertProblem(action: ActionConfig): string | undefined {
  const { converted_type: target } = action;
  if (sourceCount(action) > 0 || action.pattern !== "") {
    return notUsed(action, 'value sources or "pattern" field', "These");
  }
  if (target === "") return 'missing required field "converted_type" for action "convert"';
  if (conversionTargets.some((known) => known === target)) return undefined;
  return `invalid value "${target}" in field "converted_type" for action "convert"`;
}

function patternProblem({ pattern }: ActionConfig): string | undefined {
  try {
    new GoRegExp(pattern);
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `field "pattern" has invalid pattern: ${JSON.stringify(pattern)}: ${reason}`;
  }
}

function convertedTypeProblem(action: ActionConfig): string | undefined {
  if (action.converted_type === "") return undefined;
  return notUsed(action, 'the "converted_type" field', "This");
}

function notUsed({ action }: ActionConfig, what: string, which: "This" | "These"): string {
  return `action "${action}" does not use ${what}. ${which} must not be specified`;
}

function sourceCount(action: ActionConfig): number {
  const { from_attribute: attribute, from_context: context, value } = action;
  return Number(isSet(value)) + Number(attribute !== "") + Number(context !== "");
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}
