import type { MetricDefinition, Signal } from "@inode-gateway/contract";
import { memoryLimitMetrics } from "../../memory-limit/metrics.js";
import { otlpNames } from "../../transport/otlp-names.js";

/** Items of one signal that passed, and that did not. */
export interface ItemMetrics {
  readonly accepted: MetricDefinition;
  readonly refused: MetricDefinition;
}

/** The counters of each signal. */
export const itemMetrics: Readonly<Record<Signal, ItemMetrics>> = {
  traces: metricsOf("traces"),
  metrics: metricsOf("metrics"),
  logs: metricsOf("logs"),
  profiles: metricsOf("profiles"),
};

/** Everything the processor counts. */
export const memoryLimiterMetrics: readonly MetricDefinition[] = [
  ...Object.values(itemMetrics).flatMap(({ accepted, refused }) => [accepted, refused]),
  ...memoryLimitMetrics,
];

function metricsOf(signal: Signal): ItemMetrics {
  const { items } = otlpNames[signal];
  const words = items.replace("_", " ");
  return {
    accepted: {
      name: `otelcol_processor_memory_limiter_accepted_${items}`,
      help: `Number of ${words} that were passed on, memory being within its limit.`,
      kind: "counter",
      labels: ["processor"],
    },
    refused: {
      name: `otelcol_processor_memory_limiter_refused_${items}`,
      help: `Number of ${words} that were refused, memory being above its soft limit.`,
      kind: "counter",
      labels: ["processor"],
    },
  };
}
