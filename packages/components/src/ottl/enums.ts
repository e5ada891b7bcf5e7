import type { ContextName } from "./path-fields.js";

const severities = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

function numbered(prefix: string, names: readonly string[]): [string, number][] {
  return names.map((name, number) => [`${prefix}_${name}`, number]);
}

const spanNames = [
  ...numbered("SPAN_KIND", ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]),
  ...numbered("STATUS_CODE", ["UNSET", "OK", "ERROR"]),
];
const logNames = numbered("SEVERITY_NUMBER", [
  "UNSPECIFIED",
  ...severities.flatMap((severity) => ["", "2", "3", "4"].map((step) => severity + step)),
]);
const metricNames = [
  ...numbered("METRIC_DATA_TYPE", [
    "NONE",
    "GAUGE",
    "SUM",
    "HISTOGRAM",
    "EXPONENTIAL_HISTOGRAM",
    "SUMMARY",
  ]),
  ...numbered("AGGREGATION_TEMPORALITY", ["UNSPECIFIED", "DELTA", "CUMULATIVE"]),
];

/** The names that stand for numbers, by the context that knows them; those of the Collector. */
export const enumValues: Readonly<Record<ContextName, ReadonlyMap<string, number>>> = {
  resource: new Map(),
  scope: new Map(),
  span: new Map(spanNames),
  spanevent: new Map(spanNames),
  metric: new Map(metricNames),
  datapoint: new Map([...metricNames, ["FLAG_NONE", 0], ["FLAG_NO_RECORDED_VALUE", 1]]),
  log: new Map(logNames),
};
