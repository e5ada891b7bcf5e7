import { instrumentationScope, keyValue } from "./common.js";
import { defineEnum, enumerated, nested, nestedList, scalar, scalars } from "./define.js";
import { MessageSchema } from "./message-schema.js";
import { resource } from "./resource.js";

const PACKAGE = "opentelemetry.proto.metrics.v1";

/** The metrics of one Resource. */
export const resourceMetrics = new MessageSchema(`${PACKAGE}.ResourceMetrics`, () => [
  nested(1, "resource", resource),
  nestedList(2, "scope_metrics", scopeMetrics),
  scalar(3, "schema_url", "string"),
]);

/** The metrics of one instrumentation scope. */
const scopeMetrics = new MessageSchema(`${PACKAGE}.ScopeMetrics`, () => [
  nested(1, "scope", instrumentationScope),
  nestedList(2, "metrics", metric),
  scalar(3, "schema_url", "string"),
]);

/** One metric: a name and data points of one of five types. */
const metric = new MessageSchema(`${PACKAGE}.Metric`, () => [
  scalar(1, "name", "string"),
  scalar(2, "description", "string"),
  scalar(3, "unit", "string"),
  nested(5, "gauge", gauge, "data"),
  nested(7, "sum", sum, "data"),
  nested(9, "histogram", histogram, "data"),
  nested(10, "exponential_histogram", exponentialHistogram, "data"),
  nested(11, "summary", summary, "data"),
  nestedList(12, "metadata", keyValue),
]);

/** Whether a point holds the change since the last one, or the total since the start. */
const aggregationTemporality = defineEnum(`${PACKAGE}.AggregationTemporality`, {
  AGGREGATION_TEMPORALITY_UNSPECIFIED: 0,
  AGGREGATION_TEMPORALITY_DELTA: 1,
  AGGREGATION_TEMPORALITY_CUMULATIVE: 2,
});

/** Sampled values. */
const gauge = new MessageSchema(`${PACKAGE}.Gauge`, () => [
  nestedList(1, "data_points", numberDataPoint),
]);

/** Added-up values. */
const sum = new MessageSchema(`${PACKAGE}.Sum`, () => [
  nestedList(1, "data_points", numberDataPoint),
  enumerated(2, "aggregation_temporality", aggregationTemporality),
  scalar(3, "is_monotonic", "bool"),
]);

/** Distributions over explicit buckets. */
const histogram = new MessageSchema(`${PACKAGE}.Histogram`, () => [
  nestedList(1, "data_points", histogramDataPoint),
  enumerated(2, "aggregation_temporality", aggregationTemporality),
]);

/** Distributions over exponential buckets. */
const exponentialHistogram = new MessageSchema(`${PACKAGE}.ExponentialHistogram`, () => [
  nestedList(1, "data_points", exponentialHistogramDataPoint),
  enumerated(2, "aggregation_temporality", aggregationTemporality),
]);

/** Quantiles that the sender computed. */
const summary = new MessageSchema(`${PACKAGE}.Summary`, () => [
  nestedList(1, "data_points", summaryDataPoint),
]);

/** One value of a gauge or a sum. */
const numberDataPoint = new MessageSchema(`${PACKAGE}.NumberDataPoint`, () => [
  nestedList(7, "attributes", keyValue),
  scalar(2, "start_time_unix_nano", "fixed64"),
  scalar(3, "time_unix_nano", "fixed64"),
  scalar(4, "as_double", "double", { oneof: "value" }),
  scalar(6, "as_int", "sfixed64", { oneof: "value" }),
  nestedList(5, "exemplars", exemplar),
  scalar(8, "flags", "uint32"),
]);

/** One distribution of a histogram. */
const histogramDataPoint = new MessageSchema(`${PACKAGE}.HistogramDataPoint`, () => [
  nestedList(9, "attributes", keyValue),
  scalar(2, "start_time_unix_nano", "fixed64"),
  scalar(3, "time_unix_nano", "fixed64"),
  scalar(4, "count", "fixed64"),
  scalar(5, "sum", "double", { optional: true }),
  scalars(6, "bucket_counts", "fixed64"),
  scalars(7, "explicit_bounds", "double"),
  nestedList(8, "exemplars", exemplar),
  scalar(10, "flags", "uint32"),
  scalar(11, "min", "double", { optional: true }),
  scalar(12, "max", "double", { optional: true }),
]);

/** One distribution of an exponential histogram. */
const exponentialHistogramDataPoint = new MessageSchema(
  `${PACKAGE}.ExponentialHistogramDataPoint`,
  () => [
    nestedList(1, "attributes", keyValue),
    scalar(2, "start_time_unix_nano", "fixed64"),
    scalar(3, "time_unix_nano", "fixed64"),
    scalar(4, "count", "fixed64"),
    scalar(5, "sum", "double", { optional: true }),
    scalar(6, "scale", "sint32"),
    scalar(7, "zero_count", "fixed64"),
    nested(8, "positive", exponentialBuckets),
    nested(9, "negative", exponentialBuckets),
    scalar(10, "flags", "uint32"),
    nestedList(11, "exemplars", exemplar),
    scalar(12, "min", "double", { optional: true }),
    scalar(13, "max", "double", { optional: true }),
    scalar(14, "zero_threshold", "double"),
  ],
);

/** Consecutive buckets on one side of zero. */
const exponentialBuckets = new MessageSchema(
  `${PACKAGE}.ExponentialHistogramDataPoint.Buckets`,
  () => [scalar(1, "offset", "sint32"), scalars(2, "bucket_counts", "uint64")],
);

/** One set of quantiles. */
const summaryDataPoint = new MessageSchema(`${PACKAGE}.SummaryDataPoint`, () => [
  nestedList(7, "attributes", keyValue),
  scalar(2, "start_time_unix_nano", "fixed64"),
  scalar(3, "time_unix_nano", "fixed64"),
  scalar(4, "count", "fixed64"),
  scalar(5, "sum", "double"),
  nestedList(6, "quantile_values", valueAtQuantile),
  scalar(8, "flags", "uint32"),
]);

/** One quantile of a summary. */
const valueAtQuantile = new MessageSchema(`${PACKAGE}.SummaryDataPoint.ValueAtQuantile`, () => [
  scalar(1, "quantile", "double"),
  scalar(2, "value", "double"),
]);

/** A sampled measurement behind a data point. */
const exemplar = new MessageSchema(`${PACKAGE}.Exemplar`, () => [
  nestedList(7, "filtered_attributes", keyValue),
  scalar(2, "time_unix_nano", "fixed64"),
  scalar(3, "as_double", "double", { oneof: "value" }),
  scalar(6, "as_int", "sfixed64", { oneof: "value" }),
  scalar(4, "span_id", "bytes", { hexIdBytes: 8 }),
  scalar(5, "trace_id", "bytes", { hexIdBytes: 16 }),
]);
