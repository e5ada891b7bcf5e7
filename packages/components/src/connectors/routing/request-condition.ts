import type { BatchOrigin } from "@inode-gateway/contract";
import { ConditionSyntaxError } from "../../ottl/condition-error.js";

/** A condition on the metadata of a request. */
export interface RequestCondition {
  /** Name of the metadata, lower-case. */
  readonly key: string;
  readonly value: string;
  readonly isNegated: boolean;
}

const form = /^\s*request\["([^"]*)"\]\s*(==|!=)\s*"([^"]*)"\s*$/;

/**
 * Parses `request["key"] == "value"` or `!=`, which is all that the Collector takes here.
 *
 * @throws ConditionSyntaxError for anything else
 */
export function parseRequestCondition(text: string): RequestCondition {
  const found = form.exec(text);
  if (found === null) {
    throw new ConditionSyntaxError(
      1,
      'expected `request["key"] == "value"` or `request["key"] != "value"`, found ' +
        `\`${text.trim()}\``,
    );
  }
  const [, key = "", operator, value = ""] = found;
  return { key: key.toLowerCase(), value, isNegated: operator === "!=" };
}

/** Whether it holds for any value of that name; never without one, as in the Collector. */
export function requestMatches(
  { isNegated, key, value }: RequestCondition,
  { metadata }: BatchOrigin,
): boolean {
  return metadata.get(key)?.some((each) => (each === value) !== isNegated) ?? false;
}
