import { FieldCursor, type MovableView, readText, readVarint32 } from "@inode-gateway/otlp";
import { decodeValue } from "./decode-value.js";
import type { TelemetryCursor } from "./telemetry-cursor.js";
import { Double, Identifier, int64, type Value } from "./value.js";
import { bodyText } from "./value-text.js";

/** The contexts that a path may begin with; `instrumentation_scope` is another name of `scope`. */
export type ContextName =
  | "resource"
  | "scope"
  | "span"
  | "spanevent"
  | "metric"
  | "datapoint"
  | "log";

/** Reads one field of the message that a view stands on. */
export type FieldReader = (view: MovableView, cursor: TelemetryCursor) => Value;

/** What a name in a path stands for. */
export type PathField =
  /** One value, with names below it such as `string` in `trace_id.string`. */
  | {
      readonly kind: "value";
      readonly read?: FieldReader;
      /** Number of the field, when it is a string and nothing else. */
      readonly textField?: number;
      readonly below?: Readonly<Record<string, FieldReader>>;
    }
  /** A map of attributes in repeated fields of one number. */
  | { readonly kind: "attributes"; readonly fieldNumber: (cursor: TelemetryCursor) => number }
  /** One AnyValue, which may be indexed. */
  | {
      readonly kind: "any";
      readonly fieldNumber: number;
      readonly below: Readonly<Record<string, FieldReader>>;
    };

const uint32 = (field: number): PathField => value((view) => view.varint32(field));
const enumerated = (field: number): PathField => value((view) => view.varint32(field) | 0);
const fixed32 = (field: number): PathField => value((view) => view.fixed32(field));
const nanoseconds = (field: number): PathField => value((view) => int64(view.fixed64(field)));

function text(field: number): PathField {
  return { kind: "value", read: (view) => view.text(field), textField: field };
}

function value(read: FieldReader): PathField {
  return { kind: "value", read };
}

function attributes(fieldNumber: number): PathField {
  return { kind: "attributes", fieldNumber: () => fieldNumber };
}

function identifier(field: number, kind: "trace" | "span"): PathField {
  const read = (view: MovableView) => {
    const bytes = view.binary(field);
    const length = kind === "trace" ? 16 : 8;
    return new Identifier(kind, bytes.length === length ? bytes : new Uint8Array(length));
  };
  return { kind: "value", read, below: { string: (view) => read(view).text } };
}

const spanKinds = ["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"];
const metricTypes: readonly (readonly [fieldNumber: number, type: number])[] = [
  [5, 1],
  [7, 2],
  [9, 3],
  [10, 4],
  [11, 5],
];
/** Number of the field of a data point that holds its attributes, by the field of its metric. */
export const pointAttributes: Readonly<Record<number, number>> = { 5: 7, 7: 7, 9: 9, 10: 1, 11: 7 };
const pointFlags: Readonly<Record<number, number>> = { 5: 8, 7: 8, 9: 10, 10: 10, 11: 8 };
const GAUGE = 5;
const SUM = 7;
const HISTOGRAM = 9;
const EXPONENTIAL_HISTOGRAM = 10;

/** Number of the field that holds the attributes of the data point of a cursor. */
export function pointAttributesField(cursor: TelemetryCursor): number {
  return pointAttributes[cursor.childField] ?? 0;
}

/** Every name that a path may have, by context. */
export const pathFields: Readonly<Record<ContextName, Readonly<Record<string, PathField>>>> = {
  resource: {
    attributes: attributes(1),
    dropped_attributes_count: uint32(2),
    schema_url: value((_, cursor) => cursor.resourceItems.text(3)),
  },
  scope: {
    name: text(1),
    version: text(2),
    attributes: attributes(3),
    dropped_attributes_count: uint32(4),
    schema_url: value((_, cursor) => cursor.scopeItems.text(3)),
  },
  span: {
    trace_id: identifier(1, "trace"),
    span_id: identifier(2, "span"),
    parent_span_id: identifier(4, "span"),
    trace_state: text(3),
    name: text(5),
    kind: {
      kind: "value",
      read: (view) => view.varint32(6) | 0,
      below: {
        string: (view) => spanKinds[view.varint32(6)] ?? "",
        deprecated_string: (view) =>
          `SPAN_KIND_${(spanKinds[view.varint32(6)] ?? "").toUpperCase()}`,
      },
    },
    start_time_unix_nano: nanoseconds(7),
    end_time_unix_nano: nanoseconds(8),
    attributes: attributes(9),
    dropped_attributes_count: uint32(10),
    dropped_events_count: uint32(12),
    dropped_links_count: uint32(14),
    flags: fixed32(16),
    status: {
      kind: "value",
      below: {
        code: (view) => nestedVarint(view, 15, 3),
        message: (view) => nestedText(view, 15, 2),
      },
    },
  },
  spanevent: {
    time_unix_nano: nanoseconds(1),
    name: text(2),
    attributes: attributes(3),
    dropped_attributes_count: uint32(4),
    event_index: value((_, cursor) => cursor.childIndex),
  },
  metric: {
    name: text(1),
    description: text(2),
    unit: text(3),
    type: value(metricType),
    aggregation_temporality: value(aggregationTemporality),
    is_monotonic: value((view) => {
      return metricType(view) === 2 ? nestedVarint(view, SUM, 3) !== 0 : undefined;
    }),
    metadata: attributes(12),
  },
  datapoint: {
    attributes: { kind: "attributes", fieldNumber: pointAttributesField },
    start_time_unix_nano: nanoseconds(2),
    time_unix_nano: nanoseconds(3),
    value_double: value((view, { childField }) => {
      return isNumber(childField)
        ? new Double(lastOf(view, 4, 6) ? (view.double(4) ?? 0) : 0)
        : undefined;
    }),
    value_int: value((view, { childField }) => {
      if (!isNumber(childField)) return undefined;
      return lastOf(view, 6, 4) ? int64(view.fixed64(6)) : 0;
    }),
    flags: value((view, { childField }) => view.varint32(pointFlags[childField] ?? 0)),
    count: value((view, { childField }) => {
      return isNumber(childField) ? undefined : int64(view.fixed64(4));
    }),
    sum: value((view, { childField }) => {
      return isNumber(childField) ? undefined : new Double(view.double(5) ?? 0);
    }),
    scale: value((view, { childField }) => {
      if (childField !== EXPONENTIAL_HISTOGRAM) return undefined;
      const encoded = view.varint32(6);
      return (encoded >>> 1) ^ -(encoded & 1);
    }),
    zero_count: value((view, { childField }) => {
      return childField === EXPONENTIAL_HISTOGRAM ? int64(view.fixed64(7)) : undefined;
    }),
  },
  log: {
    time_unix_nano: nanoseconds(1),
    observed_time_unix_nano: nanoseconds(11),
    severity_number: enumerated(2),
    severity_text: text(3),
    body: {
      kind: "any",
      fieldNumber: 5,
      below: {
        string: (view) => bodyText(anyValue(view, 5)),
      },
    },
    attributes: attributes(6),
    dropped_attributes_count: uint32(7),
    flags: fixed32(8),
    trace_id: identifier(9, "trace"),
    span_id: identifier(10, "span"),
    event_name: text(12),
  },
};

/** Value of an AnyValue field; nil when there is none. */
export function anyValue(view: MovableView, fieldNumber: number): Value {
  const start = view.startOf(fieldNumber);
  return start < 0 ? undefined : decodeValue(view.bytes, start, view.endOf(fieldNumber));
}

function isNumber(childField: number): boolean {
  return childField === GAUGE || childField === SUM;
}

/** Whether of two members of a oneof the first is the one that counts. */
function lastOf(view: MovableView, field: number, other: number): boolean {
  return view.startOf(field) > view.startOf(other);
}

function metricType(view: MovableView): number {
  let type = 0;
  let last = -1;
  for (const [fieldNumber, number] of metricTypes) {
    if (view.startOf(fieldNumber) <= last) continue;
    last = view.startOf(fieldNumber);
    type = number;
  }
  return type;
}

function aggregationTemporality(view: MovableView): Value {
  const type = metricType(view);
  if (type === 2) return nestedVarint(view, SUM, 2);
  if (type === 3) return nestedVarint(view, HISTOGRAM, 2);
  return type === 4 ? nestedVarint(view, EXPONENTIAL_HISTOGRAM, 2) : undefined;
}

function nestedVarint(view: MovableView, outer: number, inner: number): number {
  const start = contentOf(view, outer, inner)?.contentStart;
  return start === undefined ? 0 : readVarint32(view.bytes, start) | 0;
}

function nestedText(view: MovableView, outer: number, inner: number): string {
  const field = contentOf(view, outer, inner);
  return field === undefined ? "" : readText(view.bytes, field.contentStart, field.contentEnd);
}

function contentOf(
  view: MovableView,
  outer: number,
  inner: number,
): { readonly contentStart: number; readonly contentEnd: number } | undefined {
  const start = view.startOf(outer);
  if (start < 0) return undefined;
  let found: { contentStart: number; contentEnd: number } | undefined;
  const field = new FieldCursor(view.bytes, start, view.endOf(outer));
  while (field.next()) {
    if (field.number !== inner) continue;
    found = { contentStart: field.contentStart, contentEnd: field.contentEnd };
  }
  return found;
}
