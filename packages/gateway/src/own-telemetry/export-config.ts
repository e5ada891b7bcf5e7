import { headers } from "@inode-gateway/config";
import { z } from "zod";

/** Longest time that a key in milliseconds may name: a timer of Node fires at once above it. */
const MS_MAX = 2_147_483_647;

const milliseconds = (byDefault: number) => z.int().positive().max(MS_MAX).default(byDefault);

/** The Collector's OTLP exporter of its own telemetry, key by key (OpenTelemetry configuration 0.3). */
const otlp = z
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
  );

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
