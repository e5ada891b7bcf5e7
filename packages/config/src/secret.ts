import { z } from "zod";

/** What stands in the place of a secret when a configuration is shown. */
export const REDACTED = "[REDACTED]";

const secrets = z.registry<{ readonly isSecret: true }>();

/**
 * A string that is never shown: `print-config` writes `[REDACTED]`, and no error message repeats it.
 *
 * The mark stays with the schema through `refine`, `describe`, `optional` and `default`.
 */
export function secret(): z.ZodType<string, string> {
  return z.string().register(secrets, { isSecret: true });
}

/** Whether a schema, or one it was derived from, was made by {@link secret}. */
export function isSecret(schema: unknown): boolean {
  return schema instanceof z.core.$ZodType && secrets.get(schema) !== undefined;
}
