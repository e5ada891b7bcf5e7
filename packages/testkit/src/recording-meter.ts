import type {
  Counter,
  Gauge,
  Histogram,
  Meter,
  MetricDefinition,
  MetricLabels,
} from "@inode-gateway/contract";

interface Instrument {
  readonly definition: MetricDefinition;
  readonly labels: MetricLabels;
  value: number;
  readonly recorded: number[];
  readonly observers: Set<() => number>;
}

/**
 * A meter whose values a test can read by name and labels.
 *
 * It is strict where the real one may be lenient: wrong labels, a negative addition, and one name
 * with two definitions throw.
 */
export class RecordingMeter implements Meter {
  readonly #instruments = new Map<string, Instrument>();
  readonly #definitions = new Map<string, MetricDefinition>();

  counter(definition: MetricDefinition, labels: MetricLabels = {}): Counter {
    const instrument = this.#instrument("counter", definition, labels);
    return {
      add: (value) => {
        if (!(value >= 0)) throw new RangeError(`${definition.name}: cannot add ${value}`);
        instrument.value += value;
      },
    };
  }

  gauge(definition: MetricDefinition, labels: MetricLabels = {}): Gauge {
    const instrument = this.#instrument("gauge", definition, labels);
    return {
      set: (value) => {
        instrument.value = value;
      },
    };
  }

  histogram(definition: MetricDefinition, labels: MetricLabels = {}): Histogram {
    const instrument = this.#instrument("histogram", definition, labels);
    return {
      record: (value) => {
        instrument.recorded.push(value);
      },
    };
  }

  observe(definition: MetricDefinition, labels: MetricLabels, read: () => number): () => void {
    const instrument = this.#instrument(definition.kind, definition, labels);
    instrument.observers.add(read);
    return () => {
      instrument.observers.delete(read);
    };
  }

  /** The value of a counter, gauge or observed metric; undefined when nobody has asked for it. */
  value(name: string, labels: MetricLabels = {}): number | undefined {
    const instrument = this.#instruments.get(keyOf(name, labels));
    return instrument === undefined ? undefined : currentValue(instrument);
  }

  /** The sum over all label sets of one name that contain `labels`. */
  sum(name: string, labels: MetricLabels = {}): number {
    let sum = 0;
    for (const instrument of this.#instruments.values()) {
      if (instrument.definition.name !== name) continue;
      const isMatch = Object.entries(labels).every(
        ([key, text]) => instrument.labels[key] === text,
      );
      if (isMatch) sum += currentValue(instrument);
    }
    return sum;
  }

  /** What a histogram recorded, in order. */
  recorded(name: string, labels: MetricLabels = {}): readonly number[] {
    return this.#instruments.get(keyOf(name, labels))?.recorded ?? [];
  }

  /** The names of everything that was asked for. */
  get names(): ReadonlySet<string> {
    return new Set(this.#definitions.keys());
  }

  #instrument(kind: string, definition: MetricDefinition, labels: MetricLabels): Instrument {
    const { name } = definition;
    if (definition.kind !== kind) throw new TypeError(`${name} is no ${kind}`);
    const known = this.#definitions.get(name) ?? definition;
    if (JSON.stringify(known) !== JSON.stringify(definition)) {
      throw new TypeError(`${name} has two definitions`);
    }
    const given = Object.keys(labels).sort().join();
    const declared = [...definition.labels].sort().join();
    if (given !== declared) {
      throw new TypeError(`${name} has the labels [${declared}], not [${given}]`);
    }
    this.#definitions.set(name, definition);
    const key = keyOf(name, labels);
    const existing = this.#instruments.get(key);
    if (existing !== undefined) return existing;
    const instrument = {
      definition,
      labels,
      value: 0,
      recorded: [],
      observers: new Set<() => number>(),
    };
    this.#instruments.set(key, instrument);
    return instrument;
  }
}

// As in the real meter, everything that reports under the same labels is added up.
function currentValue(instrument: Instrument): number {
  let value = instrument.value;
  for (const read of instrument.observers) value += read();
  return value;
}

function keyOf(name: string, labels: MetricLabels): string {
  return JSON.stringify([name, Object.entries(labels).sort()]);
}
