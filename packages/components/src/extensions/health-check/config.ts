import { serverTls } from "@inode-gateway/config";
import { z } from "zod";
import { listenEndpoint } from "../../transport/page-endpoint.js";

/** What an operator may write under `health_check:` in a configuration file. */
export const healthCheckConfig = z.strictObject({
  endpoint: listenEndpoint()
    .default("localhost:13133")
    .describe(
      "`host:port` to listen on, as in the Collector; local only unless told otherwise, so that a " +
        "probe from outside the pod needs `0.0.0.0:13133`.",
    ),
  path: z
    .string()
    .regex(/^\/[\w\-.~!$&'()+,;=@/]*$/, { error: "must begin with / and be a plain URL path" })
    .default("/")
    .describe(
      "Path that is answered; with a slash at the end everything below it is answered too. " +
        "The Collector's default, which answers every path.",
    ),
  tls: serverTls()
    .optional()
    .describe("Certificate and key of the server; absent means plaintext."),
  response_body: z
    .strictObject({
      healthy: z
        .string()
        .default("")
        .describe("Body of the answer while everything runs; empty answers JSON."),
      unhealthy: z
        .string()
        .default("")
        .describe("Body of the answer while not everything runs; empty answers JSON."),
    })
    .optional()
    .describe("Bodies instead of the JSON; absent answers JSON."),
  check_collector_pipeline: z
    .strictObject({
      enabled: z.boolean().default(false).describe("Ignored, as in the Collector."),
      interval: z.string().default("5m").describe("Ignored, as in the Collector."),
      exporter_failure_threshold: z.int().default(5).describe("Ignored, as in the Collector."),
    })
    .optional()
    .describe("Accepted so that a Collector's file loads; ignored, as in the Collector."),
});

/** The checked configuration. */
export type HealthCheckConfig = z.output<typeof healthCheckConfig>;
