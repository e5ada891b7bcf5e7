import { type AttributeScalar, type Signal, WireWriter, writeAttribute } from "@inode-gateway/otlp";
import { seededRandom } from "../seeded-random.js";
import { writeLogRecord } from "./build-logs.js";
import { writeMetric } from "./build-metrics.js";
import { writeSpan } from "./build-traces.js";

/** How large a built request is and what its Resources say. */
export interface RequestShape {
  /** Requests of the same shape and seed are equal, byte by byte; default 1. */
  readonly seed?: number;
  /** Number of ResourceSpans, ResourceMetrics or ResourceLogs; default 1. */
  readonly resources?: number;
  /** Default 1. */
  readonly scopesPerResource?: number;
  /** Spans, log records or data points in one scope; default 10. */
  readonly itemsPerScope?: number;
  /** Attributes of one item; default 10 for spans, 6 for log records, 4 for data points. */
  readonly attributesPerItem?: number;
  /** Attributes of the Resource of that index; default: what an SDK sends, without a container. */
  readonly resourceAttributes?: (index: number) => Readonly<Record<string, AttributeScalar>>;
}

type BuildableSignal = Exclude<Signal, "profiles">;

/** Writes one item into field 2 of a scope message. */
type ItemWriter = (
  writer: WireWriter,
  random: () => number,
  attributeCount: number | undefined,
) => void;

const itemWriters: Readonly<Record<BuildableSignal, ItemWriter>> = {
  traces: writeSpan,
  metrics: writeMetric,
  logs: writeLogRecord,
};

/**
 * Builds the protobuf bytes of an export request like those of an SDK.
 *
 * Spans of ten attributes take about 441 bytes, log records about 360; both are the sizes that
 * published comparisons of collectors use. Times, identifiers and attribute values come from the seed.
 */
export function buildRequest(signal: BuildableSignal, shape: RequestShape = {}): Uint8Array {
  const random = seededRandom(shape.seed ?? 1);
  const writer = new WireWriter(4096);
  for (let index = 0; index < (shape.resources ?? 1); index++) {
    const resourceItems = writer.startMessage(1);
    writeResource(writer, (shape.resourceAttributes ?? sdkResource)(index));
    for (let scope = 0; scope < (shape.scopesPerResource ?? 1); scope++) {
      const scopeItems = writer.startMessage(2);
      writeScope(writer, scope);
      for (let item = 0; item < (shape.itemsPerScope ?? 10); item++) {
        itemWriters[signal](writer, random, shape.attributesPerItem);
      }
      writer.stringField(3, "https://opentelemetry.io/schemas/1.30.0");
      writer.endMessage(scopeItems);
    }
    writer.endMessage(resourceItems);
  }
  return writer.finish();
}

function writeResource(
  writer: WireWriter,
  attributes: Readonly<Record<string, AttributeScalar>>,
): void {
  const resource = writer.startMessage(1);
  for (const [key, value] of Object.entries(attributes)) writeAttribute(writer, 1, key, value);
  writer.endMessage(resource);
}

function writeScope(writer: WireWriter, index: number): void {
  const scope = writer.startMessage(1);
  writer.stringField(1, `@opentelemetry/instrumentation-${index === 0 ? "http" : index}`);
  writer.stringField(2, "0.222.0");
  writer.endMessage(scope);
}

function sdkResource(index: number): Record<string, AttributeScalar> {
  return {
    "service.name": `checkout-${index}`,
    "service.namespace": "shop",
    "service.instance.id": `627cc493-f310-47de-96bd-71410b7d${String(index % 10_000).padStart(4, "0")}`,
    "service.version": "1.24.3",
    "telemetry.sdk.name": "opentelemetry",
    "telemetry.sdk.language": "nodejs",
    "telemetry.sdk.version": "2.11.0",
    "process.pid": 1 + index,
    "process.runtime.name": "nodejs",
    "host.boot.id": "9a2f4c1e-52b7-4a39-8f0d-6d1c83e0b7aa",
    "container.cgroup.inode": 4026 + index * 37,
  };
}
