import { duration } from "@inode-gateway/config";
import type { BuildInfo } from "@inode-gateway/contract";
import type { LoggerOptions, MeterOptions } from "@inode-gateway/telemetry";
import { z } from "zod";
import {
  batchProcessors,
  type PeriodicConfig,
  periodic,
  sampler,
} from "./own-telemetry/export-config.js";

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

const ignored = (why: string) =>
  z.boolean().default(false).describe(`Accepted so that a Collector's file loads; ${why}.`);

const onlyStderr = (what: string) =>
  z
    .array(
      z.literal("stderr", {
        error: "only `stderr` is written to: let the shell or the service manager redirect it",
      }),
    )
    .default(["stderr"])
    .describe(`${what} goes to standard error.`);

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
  development: ignored("lines are the same in every mode"),
  disable_caller: ignored("lines never name their caller"),
  disable_stacktrace: ignored("only a bug of the gateway is logged with its stack"),
  output_paths: onlyStderr("The log"),
  error_output_paths: onlyStderr("What the logger says of itself"),
  processors: batchProcessors("log records", 1_000),
});

const namePatterns = (what: string) =>
  z.array(z.string().min(1)).max(100).default([]).describe(what);

const prometheus = z.strictObject({
  host: z.string().default("localhost").describe("Address the page is served on."),
  port: z.int().min(0).max(65_535).default(8888).describe("Port; 0 picks a free one."),
  without_scope_info: z
    .boolean()
    .default(true)
    .describe("Accepted so that a Collector's file loads; metrics have no scope here."),
  without_type_suffix: z
    .boolean()
    .default(true)
    .describe("Whether names of counters end without `_total`, as in the documentation."),
  without_units: z
    .boolean()
    .default(true)
    .describe("Accepted so that a Collector's file loads; names have no unit here."),
  with_resource_constant_labels: z
    .strictObject({
      included: namePatterns("Names of attributes under `resource`; `*` stands for any text."),
      excluded: namePatterns("Names that are left out again."),
    })
    .optional()
    .describe("Attributes of the process that every metric carries as labels."),
});

const reader = z
  .strictObject({
    pull: z
      .strictObject({
        exporter: z
          .strictObject({ prometheus: prometheus.describe("The page for Prometheus.") })
          .describe("How metrics are given; `prometheus` only."),
      })
      .optional()
      .describe("A reader that others ask."),
    periodic: periodic.optional(),
  })
  .refine(({ periodic: sends, pull }) => (sends === undefined) !== (pull === undefined), {
    message: "needs either `pull` or `periodic`",
  });

/** Readers of one process: one page, and destinations that metrics are sent to. */
const READERS_MAX = 5;

const metrics = z
  .strictObject({
    level: z
      .string()
      .transform((level) => level.toLowerCase())
      .pipe(z.enum(["none", "basic", "normal", "detailed"]))
      .prefault("normal")
      .describe("none switches the metrics page and all readers off."),
    address: z
      .string()
      .optional()
      .describe("Older form of `readers`: host:port of the metrics page."),
    readers: z
      .array(reader)
      .max(READERS_MAX)
      .optional()
      .describe(
        "Where the metrics page is served, and where metrics are sent. Default: a page at localhost:8888.",
      ),
  })
  .refine(({ address, readers }) => address === undefined || readers === undefined, {
    path: ["address"],
    message: "cannot be given together with `readers`: keep `readers`",
  })
  .refine(({ readers = [] }) => readers.filter(({ pull }) => pull !== undefined).length <= 1, {
    path: ["readers"],
    message: "has more than one `pull`: one metrics page is served",
  });

const traces = z.strictObject({
  level: z
    .string()
    .transform((level) => level.toLowerCase())
    .pipe(z.enum(["none", "basic", "normal", "detailed"]))
    .prefault("normal")
    .describe("none switches the export off."),
  processors: batchProcessors("spans", 5_000),
  propagators: z
    .array(z.enum(["tracecontext"]))
    .max(1)
    .default(["tracecontext"])
    .describe(
      "How a sender's trace is recognized: `traceparent` of W3C Trace Context; empty: not at all.",
    ),
  sampler: sampler
    .prefault({})
    .describe(
      "Which requests are followed; one in a hundred, and those whose sender follows them.",
    ),
});

/** What an operator may write under `service::telemetry`. */
export const telemetryConfig = z.strictObject({
  logs: logs.prefault({}).describe("The process's own log."),
  metrics: metrics.prefault({}).describe("The process's own metrics."),
  traces: traces
    .prefault({})
    .describe(
      "Traces of requests on their way through the process; none unless a processor is given.",
    ),
  resource: z
    .record(z.string(), z.string().nullable())
    .default({})
    .describe(
      "Attributes of the process itself, shown as labels of `target_info` and sent with its own telemetry; " +
        "null takes one away that is there by itself, such as service.instance.id.",
    ),
});

/** A checked `service::telemetry`. */
export type TelemetryConfig = z.output<typeof telemetryConfig>;

type PrometheusConfig = z.output<typeof prometheus>;

/** Where the metrics page is served as `host:port`; undefined when it is switched off. */
export function metricsEndpoint(config: TelemetryConfig): string | undefined {
  const { level, address, readers } = config.metrics;
  if (level === "none") return undefined;
  if (address !== undefined) return address;
  if (readers === undefined) return "localhost:8888";
  const page = prometheusPage(config);
  if (page === undefined) return undefined;
  const { host, port } = page;
  // Receivers want an IPv6 address in brackets, this key wants it without: one variable may serve both.
  return host.includes(":") && !host.startsWith("[") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The readers that send metrics by themselves. */
export function periodicReaders(config: TelemetryConfig): readonly PeriodicConfig[] {
  const { level, readers = [] } = config.metrics;
  if (level === "none") return [];
  return readers.flatMap(({ periodic: sends }) => sends ?? []);
}

/** How the metrics page is written. */
export function meterOptions(config: TelemetryConfig): MeterOptions {
  const page = prometheusPage(config);
  if (page === undefined) return {};
  const { with_resource_constant_labels: wanted, without_type_suffix } = page;
  const names = Object.keys(config.resource).filter(
    (name) => matches(name, wanted?.included) && !matches(name, wanted?.excluded),
  );
  const constantLabels: Record<string, string> = {};
  for (const name of names) constantLabels[labelName(name)] = config.resource[name] ?? "";
  return { counterSuffix: without_type_suffix ? "" : "_total", constantLabels };
}

function prometheusPage({
  metrics: { readers = [] },
}: TelemetryConfig): PrometheusConfig | undefined {
  return readers.find(({ pull }) => pull !== undefined)?.pull?.exporter.prometheus;
}

function matches(name: string, patterns: readonly string[] = []): boolean {
  return patterns.some((pattern) => {
    const parts = pattern.split("*").map((part) => part.replaceAll(/[.\\+?^${}()|[\]]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`, "s").test(name);
  });
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

/** The process as attributes of a Resource: what it is by itself, and what `resource` adds or takes away. */
export function processAttributes(
  config: TelemetryConfig,
  build: BuildInfo,
  instanceId: string,
): Readonly<Record<string, string>> {
  const attributes = new Map<string, string>([
    ["service.name", build.command],
    ["service.version", build.version],
    ["service.instance.id", instanceId],
  ]);
  for (const [name, value] of Object.entries(config.resource)) {
    if (value === null) attributes.delete(name);
    else attributes.set(name, value);
  }
  return Object.fromEntries(attributes);
}

/** Labels of `target_info`; semantic-convention names with `_` for `.`, as Prometheus writes them. */
export function targetInfoLabels(
  config: TelemetryConfig,
  build: BuildInfo,
  instanceId: string,
): Readonly<Record<string, string>> {
  const attributes = Object.entries(processAttributes(config, build, instanceId));
  return Object.fromEntries(attributes.map(([name, value]) => [labelName(name), value]));
}

/** A name of the semantic conventions as Prometheus writes it. */
function labelName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/g, "_");
}
