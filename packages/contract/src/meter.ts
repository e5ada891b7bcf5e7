/** A metric as data: what it is called and what it means. Declared once, in a component's `metrics.ts`. */
export interface MetricDefinition {
  /** The whole name on the metrics page, such as `otelcol_receiver_accepted_spans`. */
  readonly name: string;
  readonly help: string;
  readonly kind: "counter" | "gauge" | "histogram";
  /** Label names; a value is always from a small fixed set, never an ID of a container or a peer. */
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets, ascending. */
  readonly buckets?: readonly number[];
}

/** Label values by name; every label of the definition must be there. */
export type MetricLabels = Readonly<Record<string, string>>;

/** A cumulative count of one set of label values. */
export interface Counter {
  /** `value` must not be negative. */
  add(value: number): void;
}

/** A value that goes up and down, of one set of label values. */
export interface Gauge {
  set(value: number): void;
}

/** A distribution, of one set of label values. */
export interface Histogram {
  record(value: number): void;
}

/**
 * Makes instruments. Asking twice for the same definition and labels gives the same instrument, so
 * that several instances of a component count together. Labels are bound here, not per call: adding
 * on the hot path costs one addition.
 */
export interface Meter {
  counter(definition: MetricDefinition, labels?: MetricLabels): Counter;
  gauge(definition: MetricDefinition, labels?: MetricLabels): Gauge;
  histogram(definition: MetricDefinition, labels?: MetricLabels): Histogram;
  /** Calls `read` whenever the metrics page is read. Returns a function that ends that. */
  observe(definition: MetricDefinition, labels: MetricLabels, read: () => number): () => void;
}
