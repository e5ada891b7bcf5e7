import { countItemsWithin } from "../count/count-items.js";
import { readSfixed64 } from "../wire/fixed.js";
import { AttributedView, MessageView } from "./message-view.js";

/** The five types of metric data, by the names of their fields. */
export type MetricType = "gauge" | "sum" | "histogram" | "exponential_histogram" | "summary";

const typeFields: readonly (readonly [fieldNumber: number, type: MetricType])[] = [
  [5, "gauge"],
  [7, "sum"],
  [9, "histogram"],
  [10, "exponential_histogram"],
  [11, "summary"],
];

const METRIC_LEVEL = 3;

/** A Metric message. */
export class MetricView extends MessageView {
  get name(): string {
    return this.text(1);
  }

  get description(): string {
    return this.text(2);
  }

  get unit(): string {
    return this.text(3);
  }

  /** Undefined when the metric has no data. Of several types, against the oneof, the last one. */
  get type(): MetricType | undefined {
    return this.#data()?.[1];
  }

  /** 1 delta, 2 cumulative, 0 unspecified or a type without. */
  get aggregationTemporality(): number {
    return this.#dataView()?.aggregationTemporality ?? 0;
  }

  /** Whether a sum only grows; false for every other type. */
  get isMonotonic(): boolean {
    return this.type === "sum" && this.#dataView()?.isMonotonic === true;
  }

  /** Data points of the metric, of whichever type. */
  get dataPointCount(): number {
    return countItemsWithin("metrics", METRIC_LEVEL, this.bytes, this.start, this.end);
  }

  /** The data points, in wire order; of which class follows from `type`. */
  *dataPoints(): Generator<DataPointView> {
    const type = this.type;
    const data = this.#dataView();
    if (type !== undefined && data !== undefined) yield* data.dataPoints(type);
  }

  #data(): readonly [number, MetricType] | undefined {
    let last: readonly [number, MetricType] | undefined;
    for (const entry of typeFields) {
      if (this.startOf(entry[0]) > (last === undefined ? -1 : this.startOf(last[0]))) last = entry;
    }
    return last;
  }

  #dataView(): MetricDataView | undefined {
    const data = this.#data();
    if (data === undefined) return undefined;
    return new MetricDataView(this.bytes, this.startOf(data[0]), this.endOf(data[0]));
  }
}

// The five data messages share their field numbers.
class MetricDataView extends MessageView {
  get aggregationTemporality(): number {
    return this.varint32(2);
  }

  get isMonotonic(): boolean {
    return this.varint32(3) !== 0;
  }

  dataPoints(type: MetricType): Generator<DataPointView> {
    return this.nested(1, (bytes, start, end) => makeDataPoint(type, bytes, start, end));
  }
}

function makeDataPoint(
  type: MetricType,
  bytes: Uint8Array,
  start: number,
  end: number,
): DataPointView {
  switch (type) {
    case "gauge":
    case "sum":
      return new NumberDataPointView(bytes, start, end);
    case "histogram":
      return new HistogramDataPointView(bytes, start, end);
    case "exponential_histogram":
      return new ExponentialHistogramDataPointView(bytes, start, end);
    case "summary":
      return new SummaryDataPointView(bytes, start, end);
  }
}

/** What data points of all types have in common. */
export abstract class DataPointView extends AttributedView {
  get startTimeUnixNano(): bigint {
    return this.fixed64(2);
  }

  get timeUnixNano(): bigint {
    return this.fixed64(3);
  }
}

/** A NumberDataPoint message: one value of a gauge or a sum. */
export class NumberDataPointView extends DataPointView {
  protected readonly attributesField = 7;

  /** Undefined when unset, as in a point that says that no value was recorded. */
  get value(): number | bigint | undefined {
    const double = this.startOf(4);
    const integer = this.startOf(6);
    return integer > double ? readSfixed64(this.bytes, integer) : this.double(4);
  }
}

/** A HistogramDataPoint message. */
export class HistogramDataPointView extends DataPointView {
  protected readonly attributesField = 9;

  get count(): bigint {
    return this.fixed64(4);
  }

  get sum(): number | undefined {
    return this.double(5);
  }

  get min(): number | undefined {
    return this.double(11);
  }

  get max(): number | undefined {
    return this.double(12);
  }
}

/** An ExponentialHistogramDataPoint message. */
export class ExponentialHistogramDataPointView extends DataPointView {
  protected readonly attributesField = 1;

  get count(): bigint {
    return this.fixed64(4);
  }

  get sum(): number | undefined {
    return this.double(5);
  }

  get min(): number | undefined {
    return this.double(12);
  }

  get max(): number | undefined {
    return this.double(13);
  }
}

/** A SummaryDataPoint message. */
export class SummaryDataPointView extends DataPointView {
  protected readonly attributesField = 7;

  get count(): bigint {
    return this.fixed64(4);
  }

  get sum(): number {
    return this.double(5) ?? 0;
  }
}
