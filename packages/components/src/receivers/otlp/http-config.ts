import { serverTls } from "@inode-gateway/config";
import { ZSTD_NODE_VERSION } from "@inode-gateway/grpc";
import { z } from "zod";
import { otlpNames } from "../../transport/otlp-names.js";
import { timerDuration } from "../../transport/timer-duration.js";
import { codingsByName } from "./content-coding.js";
import {
  DEFAULT_MAX_REQUEST_MIB,
  httpAuthConfig,
  maxConnections,
  middlewares,
  refuseUnlistenable,
} from "./protocol-config.js";

const MIB = 1_048_576;

const urlPath = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((path) => (path.startsWith("/") ? path : `/${path}`))
    .refine((path) => /^\/[\w\-.~!$&'()+,;=@/]*$/.test(path), {
      message: "invalid HTTP URL path: use letters, digits and -._~!$&'()+,;=@ between slashes",
    });

const corsConfig = z.strictObject({
  allowed_origins: z
    .array(z.string().min(1))
    .default([])
    .describe(
      "Origins that browsers may send from; `*` inside one stands for any text, alone for any origin. Empty turns CORS off.",
    ),
  allowed_headers: z
    .array(z.string().min(1))
    .default([])
    .describe(
      "Request headers that browsers may send besides Accept, Content-Type and X-Requested-With; `*` allows all.",
    ),
  exposed_headers: z
    .array(z.string().min(1))
    .default([])
    .describe("Response headers that scripts in a browser may read."),
  max_age: z
    .int()
    .nonnegative()
    .default(0)
    .describe("Seconds a browser may keep the answer to a preflight; 0 leaves it to the browser."),
});

const httpKeepaliveConfig = z.strictObject({
  server_parameters: z
    .strictObject({
      max_connection_age: timerDuration()
        .optional()
        .describe(
          "Duration, 10 % more or less, after which a connection is closed with its next answer (`Connection: close`, on HTTP/2 GOAWAY at once); unset keeps it.",
        ),
      max_connection_age_grace: timerDuration()
        .optional()
        .describe(
          "Duration after `max_connection_age` in which a connection may end by itself; then it is closed, whatever runs on it. Unset is unlimited.",
        ),
    })
    .prefault({})
    .describe("As under `grpc`; the Collector has no such limit for HTTP."),
});

const httpConfig = z.strictObject({
  endpoint: z
    .string()
    .min(1, "must not be empty")
    .default("localhost:4318")
    .describe(
      "`host:port` to listen on, or a path with `transport: unix`; local only unless told otherwise.",
    ),
  transport: z
    .enum(["tcp", "tcp4", "tcp6", "unix"])
    .default("tcp")
    .describe("Kind of socket to listen on."),
  tls: serverTls()
    .optional()
    .describe(
      "Certificate and key of the server, HTTP/2 and HTTP/1.1; absent means plaintext HTTP/1.1.",
    ),
  max_connections: maxConnections(),
  keepalive: httpKeepaliveConfig
    .prefault({})
    .describe("When connections are closed so that senders spread over new replicas."),
  auth: httpAuthConfig().optional().describe("Who may send; absent lets everybody in."),
  middlewares: middlewares(),
  cors: corsConfig.optional().describe("What browsers of other origins may do; absent is nothing."),
  max_request_body_size: z
    .int()
    .default(DEFAULT_MAX_REQUEST_MIB * MIB)
    .transform((bytes) => (bytes <= 0 ? DEFAULT_MAX_REQUEST_MIB * MIB : bytes))
    .describe(
      "Largest body in bytes, both as it arrives and after decompression; a larger one is answered 413. 0 is the default, which OTLP recommends.",
    ),
  response_headers: z
    .record(z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/), z.string())
    .default({})
    .describe("Headers added to every answer."),
  compression_algorithms: z
    .array(
      z
        .enum(["", "gzip", "zstd", "zlib", "snappy", "deflate", "lz4", "x-snappy-framed"])
        .superRefine(refuseUnsupportedCoding),
    )
    .optional()
    .describe(
      "Values of Content-Encoding that are accepted; the empty one stands for none, zlib and deflate both mean the zlib format. Unset is all of them but lz4, which is not supported, and zstd only from Node.js 22.15 on.",
    ),
  include_metadata: z
    .boolean()
    .default(false)
    .describe("Whether request headers travel with the batch, for processors that ask for it."),
  read_timeout: timerDuration()
    .prefault("1m")
    .describe(
      "Longest time from a request's headers to the end of its body; 0s waits for ever. A body that trickles in holds memory, so there is a default where the Collector has none.",
    ),
  read_header_timeout: timerDuration()
    .prefault("1m")
    .describe(
      "Longest time for the headers of a request on HTTP/1.1; 0s waits for ever. The Collector has no default here.",
    ),
  write_timeout: timerDuration()
    .prefault("0s")
    .describe(
      "Longest time from a request's headers to the end of its answer, after which the connection is closed; 0s waits for ever.",
    ),
  idle_timeout: timerDuration()
    .prefault("0s")
    .describe("How long a connection may wait for its next request; 0s waits for ever."),
  keep_alives_enabled: z
    .boolean()
    .default(true)
    .describe("Whether a connection may carry more than one request."),
  traces_url_path: urlPath(otlpNames.traces.httpPath).describe("Path for traces."),
  metrics_url_path: urlPath(otlpNames.metrics.httpPath).describe("Path for metrics."),
  logs_url_path: urlPath(otlpNames.logs.httpPath).describe("Path for logs."),
});

function refuseUnsupportedCoding(name: string, context: z.RefinementCtx): void {
  if (codingsByName.has(name)) return;
  const message =
    name === "zstd"
      ? `"zstd" needs Node.js ${ZSTD_NODE_VERSION} or later, this is ${process.version}`
      : `"${name}" is not supported, supported are ${[...codingsByName.keys()].join(", ")}`;
  context.addIssue({ code: "custom", message });
}

/** What an operator may write under `protocols::http`. */
export const httpProtocolConfig = httpConfig.superRefine((config, context) => {
  refuseUnlistenable(config, context);
  const seen = new Set<string>([otlpNames.profiles.httpPath]);
  for (const key of ["traces_url_path", "metrics_url_path", "logs_url_path"] as const) {
    if (seen.has(config[key])) {
      const message = `"${config[key]}" is already the path of another signal`;
      context.addIssue({ code: "custom", path: [key], message });
    }
    seen.add(config[key]);
  }
});

/** The checked section `protocols::http`. */
export type HttpConfig = z.output<typeof httpConfig>;
/** The checked section `protocols::http::cors`. */
export type CorsConfig = z.output<typeof corsConfig>;
