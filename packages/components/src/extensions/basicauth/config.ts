import { secret } from "@inode-gateway/config";
import { z } from "zod";
import { parseHtpasswd } from "./htpasswd.js";

const htpasswdConfig = z.strictObject({
  file: z
    .string()
    .optional()
    .describe("File of `name:password` lines; read again when it changes."),
  inline: secret()
    .superRefine((text, context) => {
      try {
        parseHtpasswd(text);
      } catch (error) {
        context.addIssue({
          code: "custom",
          message: error instanceof Error ? error.message : String(error),
        });
      }
    })
    .optional()
    .describe("The same lines; they win over those of the file."),
});

const clientConfig = z.strictObject({
  username: z.string().optional().describe("Name to send."),
  username_file: z
    .string()
    .optional()
    .describe("File that holds the name; wins over `username`; read again when it changes."),
  password: secret().optional().describe("Password to send."),
  password_file: z
    .string()
    .optional()
    .describe("File that holds the password; wins over `password`; read again when it changes."),
});

const basicKeys = z.strictObject({
  htpasswd: htpasswdConfig
    .optional()
    .describe("Whom receivers let in; not together with `client_auth`."),
  client_auth: clientConfig.optional().describe("What exporters send."),
});

/** The checked configuration. */
export type BasicAuthConfig = z.output<typeof basicKeys>;
/** The checked section `htpasswd`. */
export type HtpasswdConfig = z.output<typeof htpasswdConfig>;
/** The checked section `client_auth`. */
export type BasicClientConfig = z.output<typeof clientConfig>;

/** What an operator may write under `basicauth:` in `extensions`. */
export const basicAuthConfig = basicKeys.superRefine((config, context) => {
  const problem = problemOf(config);
  if (problem !== undefined) context.addIssue({ code: "custom", ...problem });
});

function problemOf({
  client_auth: client,
  htpasswd,
}: BasicAuthConfig): { path: string[]; message: string } | undefined {
  if (client !== undefined && htpasswd !== undefined) {
    const message = "only one of `htpasswd` or `client_auth` can be specified";
    return { path: [], message };
  }
  if (client !== undefined) return clientProblem(client);
  if (isGiven(htpasswd?.file) || isGiven(htpasswd?.inline)) return undefined;
  const message =
    "no credential source provided: set `htpasswd::file`, `htpasswd::inline` or `client_auth`";
  return { path: htpasswd === undefined ? [] : ["htpasswd"], message };
}

function clientProblem(client: BasicClientConfig): { path: string[]; message: string } | undefined {
  if (client.username?.includes(":") === true) {
    // RFC 7617, section 2: the first colon ends the name.
    return { path: ["client_auth", "username"], message: "must not contain a colon" };
  }
  if (isGiven(client.username) || isGiven(client.username_file)) return undefined;
  return { path: ["client_auth"], message: "needs `username` or `username_file`" };
}

function isGiven(value: string | undefined): boolean {
  return value !== undefined && value !== "";
}
