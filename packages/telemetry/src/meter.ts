import type {
  Counter,
  Gauge,
  Histogram,
  Meter,
  MetricDefinition,
  MetricLabels,
} from "@inode-gateway/contract";
import * as prometheus from "prom-client";
import { histogramPoints, type MetricSnapshot } from "./metric-snapshot.js";

/** A meter whose values can be read as a page in the Prometheus text format. */
export interface PrometheusMeter extends Meter {
  /** The page and its content type. */
  page(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** All metrics with their values at this moment, without the suffixes and labels of the page. */
  snapshot(): Promise<readonly MetricSnapshot[]>;
}

/** How the page of a {@link PrometheusMeter} is written. */
export interface MeterOptions {
  /** Put behind the name of every counter; default none. */
  readonly counterSuffix?: string | undefined;
  /** Labels of every metric; default none. */
  readonly constantLabels?: Readonly<Record<string, string>> | undefined;
}

/** Label sets of one metric; one more is refused, since labels are never IDs of containers or peers. */
export const maxSeriesPerMetric = 2000;

/**
 * Makes a meter on prom-client.
 *
 * Names are used exactly as defined: no `_total` and no unit is added, as on the Collector's own
 * page (docs/metrics.md). An instrument is a plain number that prom-client reads when the page is
 * asked for, because its own label look-up would cost more than a small request.
 */
export function createMeter(options: MeterOptions = {}): PrometheusMeter {
  return new NumbersMeter(options);
}

interface Series {
  readonly labels: MetricLabels;
  value: number;
  readonly observers: Set<() => number>;
}

interface Family {
  readonly definition: MetricDefinition;
  readonly series: Map<string, Series>;
}

class NumbersMeter implements PrometheusMeter {
  readonly #registry = new prometheus.Registry();
  readonly #families = new Map<string, Family>();
  readonly #histograms = new Map<string, prometheus.Histogram>();
  readonly #counterSuffix: string;

  constructor({ constantLabels = {}, counterSuffix = "" }: MeterOptions) {
    this.#registry.setDefaultLabels(constantLabels);
    this.#counterSuffix = counterSuffix;
  }

  counter(definition: MetricDefinition, labels: MetricLabels = {}): Counter {
    const series = this.#series(definition, "counter", labels);
    return {
      add(value) {
        series.value += value;
      },
    };
  }

  gauge(definition: MetricDefinition, labels: MetricLabels = {}): Gauge {
    const series = this.#series(definition, "gauge", labels);
    return {
      set(value) {
        series.value = value;
      },
    };
  }

  histogram(definition: MetricDefinition, labels: MetricLabels = {}): Histogram {
    checkLabels(definition, labels);
    let histogram = this.#histograms.get(definition.name);
    if (histogram === undefined) {
      histogram = new prometheus.Histogram({
        name: definition.name,
        help: definition.help,
        labelNames: [...definition.labels],
        buckets: [...(definition.buckets ?? prometheus.exponentialBuckets(0.001, 2, 14))],
        registers: [this.#registry],
      });
      this.#histograms.set(definition.name, histogram);
    }
    const bound = histogram.labels(labels);
    return { record: (value) => bound.observe(value) };
  }

  observe(definition: MetricDefinition, labels: MetricLabels, read: () => number): () => void {
    const kind = definition.kind === "counter" ? "counter" : "gauge";
    const { observers } = this.#series(definition, kind, labels);
    observers.add(read);
    return () => {
      observers.delete(read);
    };
  }

  async page(): Promise<{ contentType: string; body: string }> {
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }

  async snapshot(): Promise<MetricSnapshot[]> {
    const snapshots: MetricSnapshot[] = [];
    for (const { definition, series } of this.#families.values()) {
      const { help, kind, name } = definition;
      const points = [...series.values()].map((each) => ({
        labels: each.labels,
        value: currentValue(each),
      }));
      snapshots.push({ name, help, kind, points });
    }
    for (const [name, histogram] of this.#histograms) {
      const { help, values } = await histogram.get();
      snapshots.push({ name, help, kind: "histogram", points: histogramPoints(name, values) });
    }
    return snapshots;
  }

  #series(definition: MetricDefinition, kind: "counter" | "gauge", labels: MetricLabels): Series {
    if (definition.kind !== kind) {
      throw new TypeError(`metric ${definition.name} is a ${definition.kind}, not a ${kind}`);
    }
    checkLabels(definition, labels);
    const family = this.#families.get(definition.name) ?? this.#register(definition);
    const key = definition.labels.map((name) => labels[name]).join("\u0000");
    let series = family.series.get(key);
    if (series === undefined) {
      if (family.series.size >= maxSeriesPerMetric) {
        throw new RangeError(
          `metric ${definition.name} has ${family.series.size} label sets, the limit is ${maxSeriesPerMetric}`,
        );
      }
      series = { labels, value: 0, observers: new Set() };
      family.series.set(key, series);
    }
    return series;
  }

  #register(definition: MetricDefinition): Family {
    const family: Family = { definition, series: new Map() };
    this.#families.set(definition.name, family);
    const configuration = {
      name: definition.name,
      help: definition.help,
      labelNames: [...definition.labels],
      registers: [this.#registry],
    };
    if (definition.kind === "counter") {
      new prometheus.Counter({
        ...configuration,
        name: definition.name + this.#counterSuffix,
        collect() {
          this.reset();
          for (const series of family.series.values())
            this.inc(series.labels, currentValue(series));
        },
      });
    } else {
      new prometheus.Gauge({
        ...configuration,
        collect() {
          this.reset();
          for (const series of family.series.values())
            this.set(series.labels, currentValue(series));
        },
      });
    }
    return family;
  }
}

function currentValue(series: Series): number {
  let value = series.value;
  for (const read of series.observers) value += read();
  return value;
}

function checkLabels(definition: MetricDefinition, labels: MetricLabels): void {
  const given = Object.keys(labels);
  const isComplete =
    given.length === definition.labels.length && definition.labels.every((name) => name in labels);
  if (!isComplete) {
    throw new TypeError(
      `metric ${definition.name} has the labels [${definition.labels.join(", ")}], not [${given.join(", ")}]`,
    );
  }
}
