import { z } from "zod";
import { checkAction } from "./check-action.js";

/** Most actions in one list: far above what a person writes. */
const ACTIONS_MAX = 1_000;

const attributeAction = z.strictObject({
  key: z
    .string()
    .default("")
    .describe("Name of the attribute. Required, except for `delete` and `hash` with a `pattern`."),
  action: z
    .string()
    .toLowerCase()
    .describe(
      "`insert` (only when absent), `update` (only when present), `upsert` (always), `delete`, `hash`, " +
        "`extract` or `convert`. Required.",
    ),
  value: z
    .unknown()
    .optional()
    .describe("Value to set: text, number, bool, list or map; its type is the attribute's."),
  from_attribute: z
    .string()
    .default("")
    .describe("Attribute of the same item whose value is copied; without it nothing happens."),
  from_context: z
    .string()
    .default("")
    .describe(
      "Where the value comes from: `metadata.<header>` (the receiver needs `include_metadata: true`; " +
        "several values are joined with `;`), `auth.<name>` of the authenticator, or `client.address`.",
    ),
  default_value: z.unknown().optional().describe("Value to set when the source has none."),
  pattern: z
    .string()
    .default("")
    .describe(
      "Regular expression in Go's syntax: which keys to `delete` or `hash`, or what to `extract` from " +
        "the value, each group named `(?P<attribute>...)`.",
    ),
  converted_type: z
    .string()
    .default("")
    .describe("Type for `convert`: `int`, `double` or `string`."),
});

/** One action as it was written, checked. */
export type ActionConfig = z.output<typeof attributeAction>;

/**
 * A list of actions in the Collector's language.
 *
 * @param missing what is said when there is none
 */
export function attributeActions(missing: string) {
  return z
    .array(attributeAction)
    .max(ACTIONS_MAX)
    .default([])
    .superRefine((actions, context) => {
      if (actions.length === 0) context.addIssue({ code: "custom", message: missing });
      for (const [index, action] of actions.entries()) {
        const message = checkAction(action, index);
        if (message !== undefined) context.addIssue({ code: "custom", path: [index], message });
      }
    });
}
