import { duration } from "@inode-gateway/config";
import type { BuildInfo } from "@inode-gateway/contract";
import type { LoggerOptions } from "@inode-gateway/telemetry";
import { z } from "zod";

const sampling = z.strictObject({
  enabled: z.boolean().default(true).describe("Whether repeated messages are thinned out."),
  tick: duration().prefault("10s").describe("Length of one counting period."),
  initial: z
    .int()
    .nonnegative()
    .default(10)
    .describe("Equal messages written at the beginning of each tick."),
  thereafter: z
    .int()
    .nonnegative()
    .default(100)
    .describe("After those, one in so many is written; 0 writes none."),
});

const logs = z.strictObject({
  level: z
    .string()
    .transform((level) => level.toLowerCase())
    .pipe(z.enum(["debug", "info", "warn", "error"]))
    .prefault("info")
    .describe("Least severe level that is written: debug, info, warn or error."),
  encoding: z
    .enum(["auto", "console", "json"])
    .default("auto")
    .describe("console for people, json for machines; auto is console on a terminal, else json."),
  sampling: sampling.prefault({}).describe("Thins out repeated messages, so a flood stays small."),
  initial_fields: z
    .record(z.string(), z.unknown())
    .default({})
    .describe("Fields that every log line carries."),
});

const prometheusReader = z.strictObject({
  pull: z
    .strictObject({
      exporter: z
        .strictObject({
          prometheus: z
            .strictObject({
              host: z.string().default("localhost").describe("Address the page is served on."),
              port: z.int().min(0).max(65_535).default(8888).describe("Port; 0 picks a free one."),
            })
            .describe("The page for Prometheus."),
        })
        .describe("How metrics are given; `prometheus` only."),
    })
    .describe("A reader that others ask; the Collector's `periodic` is not supported."),
});

const metrics = z
  .strictObject({
    level: z
      .string()
      .transform((level) => level.toLowerCase())
      .pipe(z.enum(["none", "basic", "normal", "detailed"]))
      .prefault("normal")
      .describe("none switches the metrics page off."),
    address: z
      .string()
      .optional()
      .describe("Older form of `readers`: host:port of the metrics page."),
    readers: z
      .array(prometheusReader)
      .min(1)
      .max(1)
      .optional()
      .describe("One reader: where the metrics page is served. Default localhost:8888."),
  })
  .refine(({ address, readers }) => address === undefined || readers === undefined, {
    path: ["address"],
    message: "cannot be given together with `readers`: keep `readers`",
  });

/** What an operator may write under `service::telemetry`. */
export const telemetryConfig = z.strictObject({
  logs: logs.prefault({}).describe("The process's own log."),
  metrics: metrics.prefault({}).describe("The process's own metrics."),
  resource: z
    .record(z.string(), z.string())
    .default({})
    .describe("Attributes of the process itself, shown as labels of `target_info`."),
});

/** A checked `service::telemetry`. */
export type TelemetryConfig = z.output<typeof telemetryConfig>;

/** Where the metrics page is served as `host:port`; undefined when it is switched off. */
export function metricsEndpoint(config: TelemetryConfig): string | undefined {
  const { level, address, readers } = config.metrics;
  if (level === "none") return undefined;
  if (address !== undefined) return address;
  const prometheus = readers?.[0]?.pull.exporter.prometheus;
  if (prometheus === undefined) return "localhost:8888";
  const { host, port } = prometheus;
  // Receivers want an IPv6 address in brackets, this key wants it without: one variable may serve both.
  return host.includes(":") && !host.startsWith("[") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The logger's options, but for its destination. */
export function loggerOptions(config: TelemetryConfig): LoggerOptions {
  const { level, encoding, initial_fields, sampling: sample } = config.logs;
  return {
    level,
    encoding,
    ...(Object.keys(initial_fields).length > 0 ? { initialFields: initial_fields } : {}),
    ...(sample.enabled
      ? {
          sampling: {
            tickMs: sample.tick,
            initial: sample.initial,
            thereafter: sample.thereafter,
          },
        }
      : {}),
  };
}

/** Labels of `target_info`; semantic-convention names with `_` for `.`, as Prometheus writes them. */
export function targetInfoLabels(
  config: TelemetryConfig,
  build: BuildInfo,
  instanceId: string,
): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {
    service_name: build.command,
    service_version: build.version,
    service_instance_id: instanceId,
  };
  for (const [name, value] of Object.entries(config.resource)) {
    labels[name.replaceAll(/[^A-Za-z0-9_]/g, "_")] = value;
  }
  return labels;
}
