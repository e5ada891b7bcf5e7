import { serverTls } from "@inode-gateway/config";
import { z } from "zod";
import { listenEndpoint } from "../../transport/page-endpoint.js";

/** What an operator may write under `zpages:` in a configuration file. */
export const zpagesConfig = z.strictObject({
  endpoint: listenEndpoint()
    .default("localhost:55679")
    .describe("`host:port` to listen on, as in the Collector; local only unless told otherwise."),
  transport: z.enum(["tcp"]).default("tcp").describe("Kind of the socket; tcp only."),
  tls: serverTls()
    .optional()
    .describe("Certificate and key of the server; absent means plaintext."),
  expvar: z
    .strictObject({
      enabled: z
        .boolean()
        .default(false)
        .describe("Accepted so that a Collector's file loads; there are no variables of Go here."),
    })
    .optional()
    .describe("The Collector's page of Go variables; accepted and ignored."),
});

/** The checked configuration. */
export type ZpagesConfig = z.output<typeof zpagesConfig>;
