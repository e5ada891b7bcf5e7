import { otlpGrpcExporter, otlpHttpExporter } from "@inode-gateway/components";
import { clientTls, headers, readClientTls, withEnvironmentCheck } from "@inode-gateway/config";
import { z } from "zod";
import { exporterSection, withOwnKeys } from "./exporter-section.js";

/** Longest time that a key in milliseconds may name: a timer of Node fires at once above it. */
const MS_MAX = 2_147_483_647;

const milliseconds = (byDefault: number) => z.int().positive().max(MS_MAX).default(byDefault);

/** The Collector's OTLP exporter of its own telemetry, key by key (OpenTelemetry configuration 0.3). */
const otlpKeys = z
  .strictObject({
    protocol: z.enum(["grpc", "http/protobuf"]).describe("How it is sent."),
    endpoint: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Where to send; localhost:4317 for grpc, localhost:4318 for http/protobuf when left out. A path " +
          "is taken literally; without one it is that of the signal.",
      ),
    headers: headers().default({}).describe("Headers sent with every request."),
    compression: z.enum(["gzip", "none"]).default("none").describe("Compression of requests."),
    timeout: milliseconds(10_000).describe("Milliseconds one try may take."),
    insecure: z
      .boolean()
      .default(false)
      .describe(
        "Plaintext where the endpoint has no scheme; http:// and https:// say it themselves.",
      ),
    certificate: z
      .string()
      .optional()
      .describe("File of PEM certificates to trust instead of the system's."),
    client_certificate: z.string().optional().describe("File of the own certificate, PEM."),
    client_key: z.string().optional().describe("File of the own certificate's private key, PEM."),
    temporality_preference: z
      .enum(["cumulative"])
      .default("cumulative")
      .describe("Of metrics; counts are always cumulative."),
  })
  .refine(
    ({ client_certificate: cert, client_key: key }) => (cert === undefined) === (key === undefined),
    {
      path: ["client_key"],
      message: "`client_certificate` and `client_key` belong together: give both or neither",
    },
  )
  .superRefine((config, context) => {
    const { config: schema } = config.protocol === "grpc" ? otlpGrpcExporter : otlpHttpExporter;
    // Any signal and time will do: what is looked for is an endpoint or a header that cannot be used.
    const parsed = schema.safeParse(exporterSection(config, { signal: "logs", timeoutMs: 1_000 }));
    for (const { message, path } of parsed.error?.issues ?? []) {
      const key = path[0] === "headers" ? "headers" : "endpoint";
      context.addIssue({ code: "custom", path: [key], message });
    }
  });

const otlp = withEnvironmentCheck(otlpKeys, async (config) => {
  const { certificate, client_certificate: cert, client_key: key } = config;
  const files = { ca_file: certificate, cert_file: cert, key_file: key };
  try {
    await readClientTls(clientTls().parse(files));
  } catch (error) {
    throw new Error(withOwnKeys(error), { cause: error });
  }
});

/** Where own telemetry goes. */
export type OwnOtlpConfig = z.output<typeof otlp>;

const exporter = z.strictObject({ otlp: otlp.describe("An OTLP destination.") });

/** Most processors or readers of one signal: destinations of own telemetry. */
const DESTINATIONS_MAX = 4;

/** A list of `batch` processors; empty switches the export off, which is the default. */
export const batchProcessors = (what: string, delayMs: number) =>
  z
    .array(
      z.strictObject({
        batch: z
          .strictObject({
            schedule_delay: milliseconds(delayMs).describe("Milliseconds between two requests."),
            export_timeout: milliseconds(30_000).describe(
              "Milliseconds after which a request is given up, all its tries together.",
            ),
            max_queue_size: z
              .int()
              .positive()
              .max(65_536)
              .default(2_048)
              .describe(`Most ${what} that wait; more are dropped and counted.`),
            max_export_batch_size: z
              .int()
              .positive()
              .max(8_192)
              .default(512)
              .describe(`Most ${what} in one request.`),
            exporter: exporter.describe("Where they go."),
          })
          .describe(`Sends ${what} in batches.`),
      }),
    )
    .max(DESTINATIONS_MAX)
    .default([])
    .describe(`Where ${what} of the process itself are sent; none unless told.`);

/** What one `batch` processor was told. */
export type BatchConfig = z.output<ReturnType<typeof batchProcessors>>[number]["batch"];

/** A metrics reader that sends by itself. */
export const periodic = z
  .strictObject({
    interval: milliseconds(60_000).describe("Milliseconds between two requests."),
    timeout: milliseconds(30_000).describe(
      "Milliseconds after which a request is given up, all its tries together.",
    ),
    exporter: exporter.describe("Where they go."),
  })
  .describe("A reader that sends all metrics at an interval.");

/** What one `periodic` reader was told. */
export type PeriodicConfig = z.output<typeof periodic>;

/** Share of requests that are followed unless told otherwise: one in a hundred. */
export const SAMPLING_RATIO_DEFAULT = 0.01;

const ratioBased = z
  .strictObject({
    ratio: z
      .number()
      .min(0)
      .max(1)
      .default(SAMPLING_RATIO_DEFAULT)
      .describe("Share of requests, 0 to 1."),
  })
  .describe("Follows a share of requests.");

const always = (what: string) => z.strictObject({}).nullable().optional().describe(what);

const rootSampler = {
  trace_id_ratio_based: ratioBased.optional(),
  always_on: always("Follows every request."),
  always_off: always("Follows none."),
};

/** Which requests are followed: one kind of sampler, as the OpenTelemetry configuration names them. */
export const sampler = z
  .strictObject({
    parent_based: z
      .strictObject({
        root: z.strictObject(rootSampler).default({}).describe("Decides where the sender did not."),
      })
      .optional()
      .describe(
        "A request that came with a `traceparent` is followed when its sender's trace is; receivers keep " +
          "that header with `include_metadata` only.",
      ),
    ...rootSampler,
  })
  .refine((kinds) => Object.values(kinds).filter((kind) => kind !== undefined).length <= 1, {
    message: "names more than one sampler",
  })
  .transform((kinds) => ({
    isParentBased: kinds.parent_based !== undefined || Object.keys(kinds).length === 0,
    ratio: ratioOf(kinds.parent_based?.root ?? kinds),
  }));

/** Which requests are followed. */
export type SamplerConfig = z.output<typeof sampler>;

function ratioOf(kinds: {
  readonly trace_id_ratio_based?: { readonly ratio: number } | undefined;
  readonly always_on?: unknown;
  readonly always_off?: unknown;
}): number {
  if (kinds.always_on !== undefined) return 1;
  if (kinds.always_off !== undefined) return 0;
  return kinds.trace_id_ratio_based?.ratio ?? SAMPLING_RATIO_DEFAULT;
}
