import { secret } from "@inode-gateway/config";
import { z } from "zod";
import { problemOfToken, TOKENS_MAX } from "./tokens.js";

/** RFC 9110, section 5.6.2: a field name is a token. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]*$/;

const token = () =>
  secret().superRefine((value, context) => {
    const message = value === "" ? undefined : problemOfToken(value);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

const bearerKeys = z.strictObject({
  scheme: z
    .string()
    .regex(HEADER_NAME, "must be one word, or empty for a header that is the token alone")
    .default("Bearer")
    .describe("What stands before the token, with a space between; empty puts nothing there."),
  header: z
    .string()
    .regex(HEADER_NAME, "is no header name: letters, digits and !#$%&'*+.^_`|~- only")
    .default("Authorization")
    .transform((name) => (name === "" ? "Authorization" : name))
    .describe("Header that carries the token."),
  token: token().optional().describe("The token."),
  tokens: z
    .array(token())
    .max(TOKENS_MAX)
    .optional()
    .describe(`Tokens that receivers accept, at most ${TOKENS_MAX}; exporters send the first one.`),
  filename: z
    .string()
    .optional()
    .describe(
      "File of tokens, one a line; read again when it changes. It wins over `token` and `tokens`.",
    ),
});

/** The checked configuration. */
export type BearerTokenAuthConfig = z.output<typeof bearerKeys>;

/** What an operator may write under `bearertokenauth:` in `extensions`. */
export const bearerTokenAuthConfig = bearerKeys.superRefine((config, context) => {
  const problem = sourceProblem(config);
  if (problem !== undefined) context.addIssue({ code: "custom", ...problem });
});

function sourceProblem({
  filename,
  token: single,
  tokens,
}: BearerTokenAuthConfig): { path: (string | number)[]; message: string } | undefined {
  const empty = tokens?.indexOf("") ?? -1;
  if (empty >= 0) return { path: ["tokens", empty], message: "is empty" };
  if (isGiven(single) && isGiven(tokens)) {
    return { path: ["tokens"], message: "either `tokens` or `token` should be provided, not both" };
  }
  if (isGiven(single) || isGiven(tokens) || isGiven(filename)) return undefined;
  return {
    path: [],
    message: "no bearer token provided: set `token`, `tokens` or `filename`",
  };
}

// An environment variable that is not set leaves an empty string: as in the Collector that is none.
function isGiven(value: string | readonly string[] | undefined): boolean {
  return value !== undefined && value.length > 0;
}
