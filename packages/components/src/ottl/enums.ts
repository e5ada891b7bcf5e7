const severities = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

function numbered(prefix: string, names: readonly string[]): [string, number][] {
  return names.map((name, number) => [`${prefix}_${name}`, number]);
}

/** The names that stand for numbers, in every context; those of the Collector. */
export const enumValues: ReadonlyMap<string, number> = new Map<string, number>([
  ...numbered("SPAN_KIND", ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]),
  ...numbered("STATUS_CODE", ["UNSET", "OK", "ERROR"]),
  ...numbered("SEVERITY_NUMBER", [
    "UNSPECIFIED",
    ...severities.flatMap((severity) => ["", "2", "3", "4"].map((step) => severity + step)),
  ]),
  ...numbered("METRIC_DATA_TYPE", [
    "NONE",
    "GAUGE",
    "SUM",
    "HISTOGRAM",
    "EXPONENTIAL_HISTOGRAM",
    "SUMMARY",
  ]),
  ...numbered("AGGREGATION_TEMPORALITY", ["UNSPECIFIED", "DELTA", "CUMULATIVE"]),
  ["FLAG_NONE", 0],
  ["FLAG_NO_RECORDED_VALUE", 1],
]);
