import type { LogFields } from "@inode-gateway/contract";
import type { LoggedRecord, MetricSnapshot } from "@inode-gateway/telemetry";
import type { RecordedSpan } from "./span-recorder.js";

/** Attributes of the process: the Resource of everything it sends of itself. */
export type ResourceAttributes = Readonly<Record<string, string>>;

/** Bytes of one attribute's text; what is longer is cut. */
const TEXT_CHARACTERS_MAX = 8_192;

/** Fields of one log record that are sent; more are left out. */
const FIELDS_MAX = 64;

const scope = { name: "inode-gateway" };

/** As OTLP numbers the four levels. */
const SEVERITIES = {
  debug: { severityNumber: 5, severityText: "DEBUG" },
  info: { severityNumber: 9, severityText: "INFO" },
  warn: { severityNumber: 13, severityText: "WARN" },
  error: { severityNumber: 17, severityText: "ERROR" },
} as const;

/** A request of log records. */
export function logsRequest(
  resource: ResourceAttributes,
  records: readonly LoggedRecord[],
): object {
  const logRecords = records.map(({ fields, level, message, unixMs }) => ({
    timeUnixNano: unixNano(unixMs),
    observedTimeUnixNano: unixNano(unixMs),
    ...SEVERITIES[level],
    body: { stringValue: cut(message) },
    attributes: fieldAttributes(fields),
  }));
  const group = { resource: resourceOf(resource), scopeLogs: [{ scope, logRecords }] };
  return { resourceLogs: [group] };
}

/** A request of metrics, cumulative from `startUnixMs`. */
export function metricsRequest(
  resource: ResourceAttributes,
  metrics: readonly MetricSnapshot[],
  { startUnixMs, unixMs }: { readonly startUnixMs: number; readonly unixMs: number },
): object {
  const times = { startTimeUnixNano: unixNano(startUnixMs), timeUnixNano: unixNano(unixMs) };
  const cumulative = { aggregationTemporality: 2 };
  const written = metrics.map(({ help, kind, name, points }) => {
    const common = { name, description: help };
    if (kind === "histogram") {
      const dataPoints = points.map(({ buckets = [], count = 0, labels, value }) => ({
        ...times,
        attributes: attributesOf(labels),
        count: String(count),
        sum: value,
        bucketCounts: buckets.map(({ count: inBucket }) => String(inBucket)),
        explicitBounds: buckets.slice(0, -1).map(({ bound }) => bound),
      }));
      return { ...common, histogram: { ...cumulative, dataPoints } };
    }
    const dataPoints = points.map(({ labels, value }) => ({
      ...times,
      attributes: attributesOf(labels),
      asDouble: value,
    }));
    return kind === "counter"
      ? { ...common, sum: { ...cumulative, isMonotonic: true, dataPoints } }
      : { ...common, gauge: { dataPoints } };
  });
  const group = { resource: resourceOf(resource), scopeMetrics: [{ scope, metrics: written }] };
  return { resourceMetrics: [group] };
}

/** As OTLP numbers them. */
const SPAN_KINDS = { server: 2, client: 3 } as const;

/** A request of spans. */
export function tracesRequest(
  resource: ResourceAttributes,
  recorded: readonly RecordedSpan[],
): object {
  const spans = recorded.map((span) => ({
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId !== undefined && { parentSpanId: span.parentSpanId }),
    name: span.name,
    kind: SPAN_KINDS[span.kind],
    startTimeUnixNano: unixNano(span.startUnixMs),
    endTimeUnixNano: unixNano(span.startUnixMs + span.durationMs),
    attributes: fieldAttributes(span.attributes),
    links: span.links.map(({ spanId, traceId }) => ({ traceId, spanId })),
    ...(span.failure !== undefined && { status: { code: 2, message: cut(span.failure) } }),
  }));
  return { resourceSpans: [{ resource: resourceOf(resource), scopeSpans: [{ scope, spans }] }] };
}

/** The Resource of a request. */
function resourceOf(resource: ResourceAttributes): object {
  return { attributes: attributesOf(resource) };
}

function attributesOf(named: Readonly<Record<string, string>>): object[] {
  return Object.entries(named).map(([key, value]) => ({ key, value: { stringValue: value } }));
}

function fieldAttributes(fields: LogFields): object[] {
  const attributes: object[] = [];
  for (const [key, value] of Object.entries(fields)) {
    if (attributes.length >= FIELDS_MAX) break;
    if (value === undefined) continue;
    if (value instanceof Error) attributes.push(...errorAttributes(value));
    else attributes.push({ key, value: anyValue(value) });
  }
  return attributes;
}

/** As the semantic conventions name them. */
function errorAttributes(error: Error): object[] {
  const text = (key: string, value: string) => ({ key, value: { stringValue: cut(value) } });
  return [
    text("exception.type", error.name),
    text("exception.message", error.message),
    text("exception.stacktrace", error.stack ?? ""),
  ];
}

function anyValue(value: unknown): object {
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") {
    return Number.isSafeInteger(value)
      ? { intValue: String(value) }
      : { doubleValue: numeric(value) };
  }
  return { stringValue: cut(typeof value === "string" ? value : jsonText(value)) };
}

/** JSON has no such numbers; the JSON form of protobuf writes them as text. */
function numeric(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

function cut(text: string): string {
  // A lone half of a character is no UTF-8: going there and back replaces it.
  return Buffer.from(text.slice(0, TEXT_CHARACTERS_MAX)).toString();
}

/** Nanoseconds since the epoch as decimal text; milliseconds fit a double, nanoseconds do not. */
function unixNano(unixMs: number): string {
  return String(BigInt(Math.round(unixMs * 1_000)) * 1_000n);
}
