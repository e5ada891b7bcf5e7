import assert from "node:assert/strict";
import test from "node:test";
import { arbitraryRequest, buildRequest, decodeRequest } from "@inode-gateway/testkit";
import fc from "fast-check";
import type { AttributeValue } from "../attribute/attribute-value.js";
import type { Signal } from "../signal.js";
import { WireWriter } from "../wire/wire-writer.js";
import type { LogRecordView } from "./log-record-view.js";
import type { AttributedView } from "./message-view.js";
import {
  type DataPointView,
  type MetricView,
  NumberDataPointView,
  SummaryDataPointView,
} from "./metric-view.js";
import { RequestView, type ScopeItemsView } from "./request-view.js";
import type { SpanView } from "./span-view.js";

// What protobufjs decodes, in the shape that the views below are written out in.
interface Decoded {
  readonly [field: string]: unknown;
}

const itemFields: Readonly<Record<Exclude<Signal, "profiles">, readonly [string, string, string]>> =
  {
    traces: ["resource_spans", "scope_spans", "spans"],
    metrics: ["resource_metrics", "scope_metrics", "metrics"],
    logs: ["resource_logs", "scope_logs", "log_records"],
  };

for (const signal of ["traces", "metrics", "logs"] as const) {
  test(`the views of any request of ${signal} read what protobufjs decodes`, () => {
    fc.assert(
      fc.property(arbitraryRequest(signal), (bytes) => {
        assert.deepEqual(written(signal, bytes), expected(signal, decodeRequest(signal, bytes)));
      }),
      { numRuns: 250 },
    );
  });
}

test("an attribute is found by its key, whatever its alphabet; of equal keys the first one", () => {
  const request = buildRequest("traces", {
    resourceAttributes: () => ({ a: 1, ab: "two", "\u00e9t\u00e9": true, "": "no key" }),
  });
  const [group] = [...new RequestView(request).resources()];
  assert.ok(group);
  const { resource } = group;
  assert.equal(resource.attribute("a"), 1);
  assert.equal(resource.attribute("ab"), "two");
  assert.equal(resource.attribute("\u00e9t\u00e9"), true);
  assert.equal(resource.attribute(""), "no key");
  for (const absent of ["b", "abc", "\u00e9t", "\u00e9t\u00e9s", "ete"]) {
    assert.equal(resource.attribute(absent), undefined, absent);
  }
  assert.equal(resource.attribute("a"), [...resource.attributes()][0]?.[1]);
});

test("a group without Resource, scope or schema reads as empty", () => {
  const writer = new WireWriter();
  const group = writer.startMessage(1);
  writer.endMessage(writer.startMessage(2));
  writer.endMessage(group);
  const [first] = [...new RequestView(writer.finish()).resources()];
  assert.deepEqual([...(first?.resource.attributes() ?? ["none"])], []);
  assert.equal(first?.schemaUrl, "");
  const [scope] = [...(first?.scopes() ?? [])];
  assert.equal(scope?.scope.name, "");
  assert.deepEqual([...(scope?.spans() ?? ["none"])], []);
});

function written(signal: keyof typeof itemFields, bytes: Uint8Array): unknown {
  return [...new RequestView(bytes).resources()].map((group) => ({
    resource: attributes(group.resource),
    dropped: group.resource.droppedAttributesCount,
    schemaUrl: group.schemaUrl,
    scopes: [...group.scopes()].map((scope) => ({
      name: scope.scope.name,
      version: scope.scope.version,
      attributes: attributes(scope.scope),
      schemaUrl: scope.schemaUrl,
      items: items(signal, scope),
    })),
  }));
}

function items(signal: keyof typeof itemFields, scope: ScopeItemsView): unknown[] {
  if (signal === "traces") return [...scope.spans()].map(writtenSpan);
  if (signal === "logs") return [...scope.logRecords()].map(writtenLogRecord);
  return [...scope.metrics()].map(writtenMetric);
}

function writtenSpan(span: SpanView): unknown {
  return {
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: hex(span.parentSpanId),
    traceState: span.traceState,
    name: span.name,
    kind: span.kind | 0,
    start: span.startTimeUnixNano,
    end: span.endTimeUnixNano,
    flags: span.flags,
    status: [span.statusCode | 0, span.statusMessage],
    attributes: attributes(span),
    events: [...span.events()].map((event) => [event.name, event.timeUnixNano, attributes(event)]),
    links: [...span.links()].map((link) => [
      hex(link.traceId),
      hex(link.spanId),
      link.traceState,
      attributes(link),
    ]),
  };
}

function writtenLogRecord(record: LogRecordView): unknown {
  return {
    time: record.timeUnixNano,
    observed: record.observedTimeUnixNano,
    severity: [record.severityNumber | 0, record.severityText],
    body: comparable(record.body),
    eventName: record.eventName,
    flags: record.flags,
    traceId: hex(record.traceId),
    spanId: hex(record.spanId),
    attributes: attributes(record),
  };
}

function writtenMetric(metric: MetricView): unknown {
  return {
    name: metric.name,
    description: metric.description,
    unit: metric.unit,
    type: metric.type,
    temporality: metric.aggregationTemporality | 0,
    isMonotonic: metric.isMonotonic,
    count: metric.dataPointCount,
    points: [...metric.dataPoints()].map(writtenPoint),
  };
}

function writtenPoint(point: DataPointView): unknown {
  const common = [point.startTimeUnixNano, point.timeUnixNano, attributes(point)];
  if (point instanceof NumberDataPointView) return [...common, comparable(point.value)];
  if (point instanceof SummaryDataPointView) return [...common, point.count, point.sum];
  const { count, sum, min, max } = point as DataPointView & Readonly<Record<string, unknown>>;
  return [...common, count, sum, min, max];
}

function expected(signal: keyof typeof itemFields, request: Decoded): unknown {
  const [groupField, scopeField, itemField] = itemFields[signal];
  return list(request[groupField]).map((group) => ({
    resource: decodedAttributes(group["resource"]),
    dropped: record(group["resource"])["dropped_attributes_count"] ?? 0,
    schemaUrl: group["schema_url"] ?? "",
    scopes: list(group[scopeField]).map((scope) => ({
      name: record(scope["scope"])["name"] ?? "",
      version: record(scope["scope"])["version"] ?? "",
      attributes: decodedAttributes(scope["scope"]),
      schemaUrl: scope["schema_url"] ?? "",
      items: list(scope[itemField]).map((item) => expectedItem(signal, item)),
    })),
  }));
}

function expectedItem(signal: keyof typeof itemFields, item: Decoded): unknown {
  if (signal === "metrics") return expectedMetric(item);
  if (signal === "logs") {
    return {
      time: big(item["time_unix_nano"]),
      observed: big(item["observed_time_unix_nano"]),
      severity: [item["severity_number"] ?? 0, item["severity_text"] ?? ""],
      body: decodedValue(item["body"]),
      eventName: item["event_name"] ?? "",
      flags: item["flags"] ?? 0,
      traceId: hex(item["trace_id"]),
      spanId: hex(item["span_id"]),
      attributes: decodedAttributes(item),
    };
  }
  const status = record(item["status"]);
  return {
    traceId: hex(item["trace_id"]),
    spanId: hex(item["span_id"]),
    parentSpanId: hex(item["parent_span_id"]),
    traceState: item["trace_state"] ?? "",
    name: item["name"] ?? "",
    kind: item["kind"] ?? 0,
    start: big(item["start_time_unix_nano"]),
    end: big(item["end_time_unix_nano"]),
    flags: item["flags"] ?? 0,
    status: [status["code"] ?? 0, status["message"] ?? ""],
    attributes: decodedAttributes(item),
    events: list(item["events"]).map((event) => [
      event["name"] ?? "",
      big(event["time_unix_nano"]),
      decodedAttributes(event),
    ]),
    links: list(item["links"]).map((link) => [
      hex(link["trace_id"]),
      hex(link["span_id"]),
      link["trace_state"] ?? "",
      decodedAttributes(link),
    ]),
  };
}

function expectedMetric(metric: Decoded): unknown {
  const types = ["gauge", "sum", "histogram", "exponential_histogram", "summary"];
  const type = types.find((name) => metric[name] !== undefined);
  const data = record(metric[type ?? ""]);
  const points = list(data["data_points"]);
  return {
    name: metric["name"] ?? "",
    description: metric["description"] ?? "",
    unit: metric["unit"] ?? "",
    type,
    temporality: data["aggregation_temporality"] ?? 0,
    isMonotonic: data["is_monotonic"] ?? false,
    count: points.length,
    points: points.map((point) => expectedPoint(type ?? "", point)),
  };
}

function expectedPoint(type: string, point: Decoded): unknown {
  const common = [
    big(point["start_time_unix_nano"]),
    big(point["time_unix_nano"]),
    decodedAttributes(point),
  ];
  if (type === "gauge" || type === "sum") {
    const integer = point["as_int"];
    return [...common, integer === undefined ? point["as_double"] : integerText(integer)];
  }
  if (type === "summary") return [...common, big(point["count"]), point["sum"] ?? 0];
  return [...common, big(point["count"]), point["sum"], point["min"], point["max"]];
}

function decodedAttributes(holder: unknown): unknown {
  return list(record(holder)["attributes"]).map((pair) => [
    pair["key"] ?? "",
    decodedValue(pair["value"]),
  ]);
}

function decodedValue(any: unknown): unknown {
  const [[name, value] = ["", undefined]] = Object.entries(record(any));
  if (name === "int_value") return integerText(value);
  if (name === "bytes_value") return { bytes: hex(value) };
  if (name === "array_value") return list(record(value)["values"]).map(decodedValue);
  if (name === "kvlist_value") {
    const pairs = list(record(value)["values"]);
    return new Map(pairs.map((pair) => [pair["key"] ?? "", decodedValue(pair["value"])]));
  }
  return name === "string_value_strindex" ? undefined : value;
}

function attributes(view: AttributedView): unknown {
  return [...view.attributes()].map(([key, value]) => [key, comparable(value)]);
}

/** A decoded value with its types told apart: integers as text, maps as Map, bytes as such. */
function comparable(value: AttributeValue): unknown {
  if (typeof value === "bigint") return integerText(value);
  if (typeof value === "number") return value;
  if (value instanceof Uint8Array) return { bytes: hex(value) };
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object") return value;
  return new Map(Object.entries(value).map(([key, each]) => [key, comparable(each)]));
}

// A number where it is safe, as the views have it.
function integerText(value: unknown): unknown {
  const integer = BigInt(String(value));
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : `integer ${integer}`;
}

function big(value: unknown): bigint {
  return BigInt(String(value ?? 0));
}

function hex(value: unknown): string {
  return value === undefined ? "" : Buffer.from(value as Uint8Array).toString("hex");
}

function list(value: unknown): readonly Decoded[] {
  return (value ?? []) as readonly Decoded[];
}

function record(value: unknown): Decoded {
  return (value ?? {}) as Decoded;
}
