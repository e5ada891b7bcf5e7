import type { MetricDefinition, MetricLabels } from "@inode-gateway/contract";
import type { MetricValueWithName } from "prom-client";

/** One metric with all its series. */
export interface MetricSnapshot {
  readonly name: string;
  readonly help: string;
  readonly kind: MetricDefinition["kind"];
  readonly points: readonly PointSnapshot[];
}

/** One series of a metric. */
export interface PointSnapshot {
  readonly labels: MetricLabels;
  /** Of a histogram the sum of what was recorded. */
  readonly value: number;
  /** Of a histogram: how often was recorded. */
  readonly count?: number;
  /** Of a histogram: what each bucket holds by itself, in order; the last bound is Infinity. */
  readonly buckets?: readonly { readonly bound: number; readonly count: number }[];
}

/** The points of a histogram from its lines on the page, whose buckets hold those below them too. */
export function histogramPoints(
  name: string,
  values: readonly MetricValueWithName<string>[],
): PointSnapshot[] {
  const points = new Map<
    string,
    { labels: Record<string, string>; value: number; count: number; buckets: Bucket[] }
  >();
  for (const { labels, metricName, value } of values) {
    const { le, ...own } = labels;
    const key = JSON.stringify(own);
    const texts = Object.fromEntries(Object.entries(own).map(([label, of]) => [label, String(of)]));
    const point = points.get(key) ?? { labels: texts, value: 0, count: 0, buckets: [] };
    points.set(key, point);
    if (metricName === `${name}_sum`) point.value = value;
    else if (metricName === `${name}_count`) point.count = value;
    else point.buckets.push({ bound: le === "+Inf" ? Infinity : Number(le), count: value });
  }
  for (const { buckets } of points.values()) {
    for (let index = buckets.length - 1; index > 0; index--) {
      const bucket = buckets[index];
      if (bucket !== undefined) bucket.count -= buckets[index - 1]?.count ?? 0;
    }
  }
  return [...points.values()];
}

interface Bucket {
  readonly bound: number;
  count: number;
}
