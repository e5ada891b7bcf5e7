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

/** Counts decisions by policy; the policies are few and come from the configuration. */
export class DecisionCounters {
  readonly #settings: ComponentSettings;
  readonly #counters = new Map<string, readonly [dropped: Counter, sampled: Counter]>();

  constructor(settings: ComponentSettings) {
    this.#settings = settings;
  }

  count(policy: string, isSampled: boolean): void {
    let counters = this.#counters.get(policy);
    if (counters === undefined) {
      counters = [this.#counter(policy, "false"), this.#counter(policy, "true")];
      this.#counters.set(policy, counters);
    }
    counters[isSampled ? 1 : 0].add(1);
  }

  #counter(policy: string, sampled: string): Counter {
    const { id, meter, signal } = this.#settings;
    const definition = signal === "logs" ? countLogs : countTraces;
    return meter.counter(definition, { processor: id, policy, sampled });
  }
}
