import { serverTls } from "@inode-gateway/config";
import { z } from "zod";
import { parseListenEndpoint } from "../../transport/endpoint.js";
import { otlpNames } from "../../transport/otlp-names.js";
import { timerDuration } from "../../transport/timer-duration.js";

/** 64 MiB: what OTLP 1.11.0 recommends on both transports; the Collector has 4 MiB and 20 MiB. */
const DEFAULT_MAX_REQUEST_MIB = 64;
const MIB = 1_048_576;

const listenEndpoint = () =>
  z.string().superRefine((endpoint, context) => {
    const parsed = parseListenEndpoint(endpoint);
    if ("problem" in parsed) context.addIssue({ code: "custom", message: parsed.problem });
  });

const urlPath = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((path) => (path.startsWith("/") ? path : `/${path}`))
    .refine((path) => /^\/[\w\-.~!$&'()+,;=@/]*$/.test(path), {
      message: "invalid HTTP URL path: use letters, digits and -._~!$&'()+,;=@ between slashes",
    });

const keepaliveConfig = z.strictObject({
  server_parameters: z
    .strictObject({
      max_connection_idle: timerDuration()
        .optional()
        .describe("Duration after which a connection without calls is closed; unset keeps it."),
      max_connection_age: timerDuration()
        .optional()
        .describe(
          "Duration after which a connection is closed so that clients spread over new replicas; unset keeps it.",
        ),
      max_connection_age_grace: timerDuration()
        .optional()
        .describe(
          "Duration that running calls get after `max_connection_age`; unset is unlimited.",
        ),
      time: timerDuration()
        .optional()
        .describe("Duration without traffic after which the client is pinged; unset never pings."),
      timeout: timerDuration()
        .optional()
        .describe("Duration a ping may stay unanswered before the connection is closed."),
    })
    .optional()
    .describe("When connections are probed and closed."),
});

const grpcConfig = z
  .strictObject({
    endpoint: z
      .string()
      .min(1, "must not be empty")
      .default("localhost:4317")
      .describe(
        "`host:port` to listen on, or a path with `transport: unix`; local only unless told otherwise.",
      ),
    transport: z
      .enum(["tcp", "tcp4", "tcp6", "unix"])
      .default("tcp")
      .describe("Kind of socket to listen on."),
    tls: serverTls()
      .optional()
      .describe("Certificate and key of the server; absent means plaintext."),
    max_recv_msg_size_mib: z
      .int()
      .positive()
      .max(2047)
      .default(DEFAULT_MAX_REQUEST_MIB)
      .describe(
        "Largest request after decompression, MiB; a larger one is answered RESOURCE_EXHAUSTED. OTLP recommends 64.",
      ),
    max_concurrent_streams: z
      .int()
      .positive()
      .max(2_147_483_647)
      .optional()
      .describe("Calls at the same time on one connection; unset is 1000."),
    keepalive: keepaliveConfig.optional().describe("Keepalive of connections, as in gRPC."),
    include_metadata: z
      .boolean()
      .default(false)
      .describe("Whether request metadata travels with the batch, for processors that ask for it."),
  })
  .superRefine(({ endpoint, transport }, context) => {
    if (transport === "unix") return;
    const parsed = parseListenEndpoint(endpoint);
    if (!("problem" in parsed)) return;
    context.addIssue({ code: "custom", path: ["endpoint"], message: parsed.problem });
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

const httpConfig = z.strictObject({
  endpoint: listenEndpoint()
    .default("localhost:4318")
    .describe("`host:port` to listen on; local only unless told otherwise."),
  tls: serverTls()
    .optional()
    .describe(
      "Certificate and key of the server, HTTP/2 and HTTP/1.1; absent means plaintext HTTP/1.1.",
    ),
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
    .array(z.enum(["", "gzip", "zlib", "deflate"]))
    .default(["", "gzip", "zlib", "deflate"])
    .describe(
      "Values of Content-Encoding that are accepted; the empty one stands for none. zlib and deflate both mean the zlib format.",
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

const distinctPathsHttpConfig = httpConfig.superRefine((config, context) => {
  const seen = new Set<string>([otlpNames.profiles.httpPath]);
  for (const key of ["traces_url_path", "metrics_url_path", "logs_url_path"] as const) {
    if (seen.has(config[key])) {
      const message = `"${config[key]}" is already the path of another signal`;
      context.addIssue({ code: "custom", path: [key], message });
    }
    seen.add(config[key]);
  }
});

const receiverConfig = z.strictObject({
  protocols: z
    .strictObject({
      grpc: grpcConfig
        .optional()
        .describe("OTLP/gRPC; absent is off, present without keys is on with the defaults."),
      http: distinctPathsHttpConfig
        .optional()
        .describe("OTLP/HTTP; absent is off, present without keys is on with the defaults."),
    })
    .prefault({})
    .refine(({ grpc, http }) => grpc !== undefined || http !== undefined, {
      message: "must specify at least one protocol when using the OTLP receiver: `grpc`, `http`",
    })
    .describe("The protocols to listen for; at least one."),
  max_in_flight_bytes: z
    .int()
    .min(1)
    .default(256 * MIB)
    .describe(
      "Bytes of all requests this receiver has read and not answered yet; above it senders are told to come back later (UNAVAILABLE, 503). The default is four requests of the largest size.",
    ),
});

/** What an operator may write under `otlp:` in `receivers`. */
export const otlpReceiverConfig = receiverConfig.superRefine((config, context) => {
  const { grpc, http } = config.protocols;
  const largest = Math.max(
    (grpc?.max_recv_msg_size_mib ?? 0) * MIB,
    http?.max_request_body_size ?? 0,
  );
  if (config.max_in_flight_bytes < largest) {
    context.addIssue({
      code: "custom",
      path: ["max_in_flight_bytes"],
      message: `is ${config.max_in_flight_bytes}, below the largest request of ${largest} bytes: such a request would never be taken`,
    });
  }
});

/** The checked configuration of one `otlp` receiver. */
export type OtlpReceiverConfig = z.output<typeof otlpReceiverConfig>;
/** The checked section `protocols::grpc`. */
export type GrpcConfig = z.output<typeof grpcConfig>;
/** The checked section `protocols::http`. */
export type HttpConfig = z.output<typeof httpConfig>;
/** The checked section `protocols::http::cors`. */
export type CorsConfig = z.output<typeof corsConfig>;
