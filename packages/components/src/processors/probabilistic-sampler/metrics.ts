import type { ComponentSettings, Counter, MetricDefinition } from "@inode-gateway/contract";

const labels = ["processor", "policy", "sampled"] as const;

/** Spans that were decided over. */
const countTraces: MetricDefinition = {
  name: "otelcol_processor_probabilistic_sampler_count_traces_sampled",
  help: "Spans that were sampled or not, by what decided.",
  kind: "counter",
  labels,
};

/** Log records that were decided over. */
const countLogs: MetricDefinition = {
  name: "otelcol_processor_probabilistic_sampler_count_logs_sampled",
  help: "Log records that were sampled or not, by what decided.",
  kind: "counter",
  labels,
};

/** Everything `probabilistic_sampler` counts. */
export const probabilisticSamplerMetrics: readonly MetricDefinition[] = [countTraces, countLogs];

interface Decisions {
  dropped: number;
  sampled: number;
  readonly counters: { readonly dropped: Counter; readonly sampled: Counter };
}

/**
 * Counts decisions by policy and hands them on once a request: a counter costs more than a decision.
 * The policies are few and come from the configuration.
 */
export class DecisionCounters {
  readonly #settings: ComponentSettings;
  readonly #decisions = new Map<string, Decisions>();

  constructor(settings: ComponentSettings) {
    this.#settings = settings;
  }

  count(policy: string, isSampled: boolean): void {
    const known = this.#decisions.get(policy);
    const decisions = known ?? this.#begin(policy);
    if (isSampled) decisions.sampled++;
    else decisions.dropped++;
  }

  /** Hands on what was counted since the last time. */
  flush(): void {
    for (const decisions of this.#decisions.values()) {
      const { counters, dropped, sampled } = decisions;
      if (dropped > 0) counters.dropped.add(dropped);
      if (sampled > 0) counters.sampled.add(sampled);
      decisions.dropped = 0;
      decisions.sampled = 0;
    }
  }

  #begin(policy: string): Decisions {
    const counters = {
      dropped: this.#counter(policy, "false"),
      sampled: this.#counter(policy, "true"),
    };
    const decisions = { dropped: 0, sampled: 0, counters };
    this.#decisions.set(policy, decisions);
    return decisions;
  }

  #counter(policy: string, sampled: string): Counter {
    const { id, meter, signal } = this.#settings;
    const definition = signal === "logs" ? countLogs : countTraces;
    return meter.counter(definition, { processor: id, policy, sampled });
  }
}
