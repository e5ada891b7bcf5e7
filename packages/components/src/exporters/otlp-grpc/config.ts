import { clientTls, headers } from "@inode-gateway/config";
import { z } from "zod";
import { retryOnFailure, sendingQueue } from "../../delivery/config.js";
import { exporterAuth } from "../../transport/exporter-auth.js";
import { noMiddlewares, refuseMissingZstd, withoutEffect } from "../../transport/exporter-keys.js";
import { timerDuration } from "../../transport/timer-duration.js";
import { parseGrpcTarget } from "./grpc-target.js";

/** What an operator may write under `otlp_grpc:` in `exporters`. */
export const otlpGrpcConfig = z.strictObject({
  endpoint: z
    .string({ error: 'requires a non-empty "endpoint"' })
    .superRefine((endpoint, context) => {
      const target = parseGrpcTarget(endpoint);
      if ("problem" in target) context.addIssue({ code: "custom", message: target.problem });
    })
    .describe(
      "Where to send: `host:port`, `dns:///host:port` or `unix:///path`; `http://` and `https://` before host and port override `tls.insecure`.",
    ),
  tls: clientTls()
    .prefault({} as never)
    .describe("How the connection is encrypted; on unless `insecure: true`."),
  compression: z
    .enum(["gzip", "snappy", "zstd", "none", ""])
    .superRefine(refuseMissingZstd)
    .default("gzip")
    .describe(
      "Compression of requests: gzip at zlib's own level 6, snappy, zstd at level 3 (from Node.js 22.15 on), or none; gzip is the Collector's default.",
    ),
  headers: headers().default({}).describe("Metadata sent with every request."),
  auth: exporterAuth(),
  authority: z
    .string()
    .min(1)
    .optional()
    .describe("Value of `:authority`; unset sends the endpoint's host."),
  user_agent: z
    .string()
    .min(1)
    .optional()
    .describe("Start of the user agent; unset sends the program's name and version."),
  balancer_name: z
    .enum(["round_robin", "pick_first"])
    .default("round_robin")
    .describe(
      "How calls are spread over the addresses of `dns:///` endpoints; the Collector's default.",
    ),
  keepalive: z
    .strictObject({
      time: timerDuration()
        .prefault("10s")
        .describe("Duration without traffic after which the server is pinged."),
      timeout: timerDuration()
        .prefault("10s")
        .describe("Duration a ping may stay unanswered before the connection is closed."),
      permit_without_stream: z
        .boolean()
        .default(false)
        .describe("Whether a connection without calls is pinged too."),
    })
    .optional()
    .describe("Keepalive of the connection; absent sends no pings."),
  timeout: timerDuration()
    .prefault("5s")
    .describe("Longest time of one try; 0s has no limit. The Collector's default."),
  wait_for_ready: z
    .boolean()
    .default(false)
    .describe("Whether a try waits for a connection instead of failing at once without one."),
  read_buffer_size: withoutEffect("Node reads what the socket has"),
  write_buffer_size: withoutEffect("every request is written at once"),
  middlewares: noMiddlewares(),
  retry_on_failure: retryOnFailure().describe("When a delivery that failed is tried again."),
  sending_queue: sendingQueue().describe("The queue before the destination."),
});

/** The checked configuration of one `otlp_grpc` exporter. */
export type OtlpGrpcConfig = z.output<typeof otlpGrpcConfig>;
