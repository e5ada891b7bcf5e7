import { z } from "zod";
import { attributeActions } from "../../attribute-actions/config.js";

/** What an operator may write under `resource:` in a configuration file. */
export const resourceConfig = z.strictObject({
  attributes: attributeActions('missing required field "attributes"').describe(
    "Actions on the attributes of every Resource, in the order written. Required.",
  ),
});

/** The checked configuration. */
export type ResourceConfig = z.output<typeof resourceConfig>;
