import { z } from "zod";
import { secret } from "./secret.js";

/** RFC 9110, section 5.6.2: a field name is a token. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** More headers than any destination takes; keeps a mistaken file out of every request. */
const HEADERS_MAX = 100;

// RFC 9110, section 5.5: CR, LF and NUL make a field value dangerous; no other control is of use.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;

const headerValue = secret().refine((value) => !CONTROL.test(value), {
  message: "must not contain control characters (is there a line break at the end?)",
});

const headerMap = z.record(
  z.string().regex(TOKEN, { error: "is no header name: letters, digits and !#$%&'*+.^_`|~- only" }),
  headerValue,
);

const headerList = z.array(
  z.strictObject({
    name: z.string().regex(TOKEN, { error: "is no header name" }),
    value: headerValue,
  }),
);

/**
 * Header names to secret values: a map, or the Collector's list of `name` and `value`.
 *
 * Of a name that a list repeats, the last value counts.
 */
export function headers(): z.ZodType<
  Record<string, string>,
  Record<string, string> | { name: string; value: string }[]
> {
  return z
    .union([headerMap, headerList])
    .transform((written) =>
      Array.isArray(written)
        ? Object.fromEntries(written.map(({ name, value }) => [name, value]))
        : written,
    )
    .refine((named) => Object.keys(named).length <= HEADERS_MAX, {
      message: `has more than ${HEADERS_MAX} headers`,
    });
}
