import { clientTls, headers, secret } from "@inode-gateway/config";
import { z } from "zod";
import { retryOnFailure, sendingQueue } from "../../delivery/config.js";
import { exporterAuth } from "../../transport/exporter-auth.js";
import { noMiddlewares, refuseMissingZstd, withoutEffect } from "../../transport/exporter-keys.js";
import { timerDuration } from "../../transport/timer-duration.js";

function isHttpUrl(text: string): boolean {
  return /^https?:$/.test(URL.canParse(text) ? new URL(text).protocol : "");
}

const httpUrl = () =>
  z.string().superRefine((text, context) => {
    if (isHttpUrl(text)) return;
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
      .enum(["gzip", "zstd", "snappy", "x-snappy-framed", "zlib", "deflate", "lz4", "none", ""])
      .superRefine(refuseMissingZstd)
      .refine((name) => name !== "lz4", "lz4 is not supported: use gzip, zstd or snappy")
      .default("gzip")
      .describe(
        "Compression of request bodies; gzip is the Collector's default. zlib and deflate both mean the zlib format, snappy the raw one; zstd needs Node.js 22.15, lz4 is refused.",
      ),
    compression_params: z
      .strictObject({
        level: z
          .int()
          .min(-1)
          .max(19)
          .optional()
          .describe(
            "Of gzip, zlib and deflate 1 to 9, 0 for none, -1 for zlib's own (6); unset is 1, which takes less than half the CPU of 6 for bodies 4 % larger. Of zstd 1 to 19; unset is 3.",
          ),
      })
      .prefault({})
      .describe("How hard to compress."),
    tls: clientTls()
      .prefault({} as never)
      .describe("Certificates for https:// endpoints; `insecure` has no meaning here."),
    headers: headers().default({}).describe("Headers sent with every request."),
    auth: exporterAuth(),
    cookies: z
      .strictObject({
        enabled: z
          .boolean()
          .default(false)
          .describe("Whether cookies that the destination sets are sent back to it."),
      })
      .optional()
      .describe("Cookies, for balancers that keep a client at one backend by them."),
    proxy_url: secret()
      .superRefine((text, context) => {
        if (text === "" || isHttpUrl(text)) return;
        // Without the text: it may hold a password.
        context.addIssue({ code: "custom", message: "is not an http:// or https:// URL" });
      })
      .optional()
      .describe(
        "Proxy to send through, `http://user:password@host:port`; unset or empty is none. The variables HTTP_PROXY and HTTPS_PROXY are not read: substitute them here.",
      ),
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
    max_idle_conns: withoutEffect("unused connections are closed by `idle_conn_timeout` alone"),
    max_idle_conns_per_host: withoutEffect(
      "unused connections are closed by `idle_conn_timeout` alone",
    ),
    force_attempt_http2: withoutEffect("requests are sent over HTTP/1.1"),
    http2_read_idle_timeout: withoutEffect("requests are sent over HTTP/1.1"),
    http2_ping_timeout: withoutEffect("requests are sent over HTTP/1.1"),
    read_buffer_size: withoutEffect("Node reads what the socket has"),
    write_buffer_size: withoutEffect("every request is written at once"),
    middlewares: noMiddlewares(),
    retry_on_failure: retryOnFailure().describe("When a delivery that failed is tried again."),
    sending_queue: sendingQueue().describe("The queue before the destination."),
  })
  .superRefine(({ compression, compression_params: { level } }, context) => {
    const [min, max] = compressionLevels(compression);
    if (level === undefined || (level >= min && level <= max)) return;
    const message =
      min > max
        ? `${compression} has no levels`
        : `must be ${min} to ${max} for ${compression}, is ${level}`;
    context.addIssue({ code: "custom", path: ["compression_params", "level"], message });
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

/** Lowest and highest level; none, the second below the first, where there are none. */
function compressionLevels(compression: string): readonly [number, number] {
  if (compression === "zstd") return [1, 19];
  return compression === "snappy" || compression === "x-snappy-framed" ? [0, -1] : [-1, 9];
}

/** The checked configuration of one `otlp_http` exporter. */
export type OtlpHttpConfig = z.output<typeof otlpHttpConfig>;
