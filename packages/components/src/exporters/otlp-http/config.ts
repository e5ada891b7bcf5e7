import { clientTls, headers } from "@inode-gateway/config";
import { z } from "zod";
import { retryOnFailure, sendingQueue } from "../../delivery/config.js";
import { timerDuration } from "../../transport/timer-duration.js";

const httpUrl = () =>
  z.string().superRefine((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url !== undefined && (url.protocol === "http:" || url.protocol === "https:")) return;
    const message = `is not an http:// or https:// URL: "${text}"`;
    context.addIssue({ code: "custom", message });
  });

const signalEndpoint = (signal: string) =>
  httpUrl()
    .optional()
    .describe(`Whole URL for ${signal}, taken literally; unset is below \`endpoint\`.`);

/** What an operator may write under `otlp_http:` in `exporters`. */
export const otlpHttpConfig = z
  .strictObject({
    endpoint: httpUrl()
      .optional()
      .describe(
        "URL to send to; `/v1/traces`, `/v1/metrics`, `/v1/logs` or `/v1development/profiles` is added. Required unless every signal has its own.",
      ),
    traces_endpoint: signalEndpoint("traces"),
    metrics_endpoint: signalEndpoint("metrics"),
    logs_endpoint: signalEndpoint("logs"),
    profiles_endpoint: signalEndpoint("profiles"),
    encoding: z
      .enum(["proto", "json"])
      .default("proto")
      .describe("How request bodies are written."),
    compression: z
      .enum(["gzip", "zlib", "deflate", "none", ""])
      .default("gzip")
      .describe(
        "Compression of request bodies; gzip is the Collector's default. zlib and deflate both mean the zlib format.",
      ),
    compression_params: z
      .strictObject({
        level: z
          .int()
          .min(-1)
          .max(9)
          .default(1)
          .describe(
            "zlib level 1 to 9, 0 for none, -1 for zlib's own (6). Default 1: it takes less than half the CPU of 6 for bodies 4 % larger.",
          ),
      })
      .prefault({})
      .describe("How hard to compress."),
    tls: clientTls()
      .prefault({} as never)
      .describe("Certificates for https:// endpoints; `insecure` has no meaning here."),
    headers: headers().default({}).describe("Headers sent with every request."),
    timeout: timerDuration()
      .prefault("30s")
      .describe("Longest time of one try; 0s has no limit. The Collector's default."),
    max_conns_per_host: z
      .int()
      .nonnegative()
      .default(100)
      .describe(
        "Connections at the same time; requests above wait for one. 0 has no limit, which is the Collector's default.",
      ),
    idle_conn_timeout: timerDuration()
      .prefault("90s")
      .describe("How long an unused connection stays open; the Collector's default."),
    disable_keep_alives: z
      .boolean()
      .default(false)
      .describe("Whether every request opens a connection of its own."),
    retry_on_failure: retryOnFailure().describe("When a delivery that failed is tried again."),
    sending_queue: sendingQueue().describe("The queue before the destination."),
  })
  .superRefine((config, context) => {
    const own = [
      config.traces_endpoint,
      config.metrics_endpoint,
      config.logs_endpoint,
      config.profiles_endpoint,
    ];
    if (config.endpoint !== undefined || own.some((endpoint) => endpoint !== undefined)) return;
    context.addIssue({
      code: "custom",
      path: ["endpoint"],
      message: "at least one endpoint must be specified: `endpoint` or one per signal",
    });
  });

/** The checked configuration of one `otlp_http` exporter. */
export type OtlpHttpConfig = z.output<typeof otlpHttpConfig>;
