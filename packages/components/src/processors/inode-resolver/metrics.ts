import type { ComponentSettings, Counter, MetricDefinition } from "@inode-gateway/contract";
import type { UnresolvedReason } from "./ladder/ladder.js";
import type { StepName } from "./ladder/step.js";

const PREFIX = "inode_gateway_resolver_";

const labels = ["processor", "otel_signal"] as const;

function counter(name: string, help: string, ...more: readonly string[]): MetricDefinition {
  return { name: `${PREFIX}${name}`, help, kind: "counter", labels: [...labels, ...more] };
}

/** One instance serves one pipeline, so that what it holds now is told apart by pipeline. */
function gauge(name: string, help: string): MetricDefinition {
  return { name: `${PREFIX}${name}`, help, kind: "gauge", labels: ["processor", "pipeline"] };
}

const resolvedResources = counter(
  "resolved_resources",
  "Resources that got their container.id, by the step of the ladder that answered.",
  "step",
);
const resolvedItems = counter(
  "resolved_items",
  "Spans, data points and log records below resolved Resources, by step.",
  "step",
);
const unresolvedResources = counter(
  "unresolved_resources",
  "Resources that were passed on as they came, by reason.",
  "reason",
);
const unresolvedItems = counter(
  "unresolved_items",
  "Spans, data points and log records below unresolved Resources, by reason.",
  "reason",
);
const containerIdConflicts = counter(
  "container_id_conflicts",
  "Resolved Resources whose sender had set another container.id, by what was done with it.",
  "action",
);
const cacheHits = counter("cache_hits", "Resources answered from the Resource cache.");
const cacheMisses = counter("cache_misses", "Resources that had to be read and looked up.");
const holdsStarted = counter("holds_started", "Batches that began to wait for a mapping.");
const holdsEnded = counter(
  "holds_ended",
  "Batches that stopped waiting: woken by the mapping, expired, or sent on by a shutdown.",
  "result",
);
const holdOverflows = counter(
  "hold_overflows",
  "Batches that should have waited, but the waiting room was full.",
);
const holdBytes = gauge("hold_bytes", "Bytes of all batches that wait for a mapping now.");
const holdBatches = gauge("hold_batches", "Batches that wait for a mapping now.");
const cacheEntries = gauge("cache_entries", "Resources in the Resource cache.");
const cacheBytes = gauge("cache_bytes", "Bytes of the Resource cache, bookkeeping included.");

/** Everything `inode_resolver` counts. */
export const inodeResolverMetrics: readonly MetricDefinition[] = [
  resolvedResources,
  resolvedItems,
  unresolvedResources,
  unresolvedItems,
  containerIdConflicts,
  cacheHits,
  cacheMisses,
  holdsStarted,
  holdsEnded,
  holdOverflows,
  holdBytes,
  holdBatches,
  cacheEntries,
  cacheBytes,
];

/** Why a Resource was passed on as it came, bounds of the processor itself included. */
export type PassedOnReason = UnresolvedReason | "hold_overflow" | "too_many_resources";

/** The counters of one outcome. */
export interface Tally {
  readonly resources: Counter;
  readonly items: Counter;
}

/** What the gauges read. */
export interface ResolverLevels {
  readonly room: { readonly bytes: number; readonly batches: number };
  readonly cache: { readonly bytes: number; readonly entries: number };
}

/** The instruments of one resolver, bound to their labels. */
export class ResolverMetrics {
  readonly cacheHits: Counter;
  readonly cacheMisses: Counter;
  readonly holdsStarted: Counter;
  readonly holdOverflows: Counter;
  readonly #settings: ComponentSettings;
  readonly #labels: { readonly processor: string; readonly otel_signal: string };
  readonly #tallies = new Map<string, Tally>();

  constructor(settings: ComponentSettings) {
    this.#settings = settings;
    this.#labels = { processor: settings.id, otel_signal: settings.signal ?? "" };
    this.cacheHits = settings.meter.counter(cacheHits, this.#labels);
    this.cacheMisses = settings.meter.counter(cacheMisses, this.#labels);
    this.holdsStarted = settings.meter.counter(holdsStarted, this.#labels);
    this.holdOverflows = settings.meter.counter(holdOverflows, this.#labels);
  }

  resolved(step: StepName): Tally {
    return this.#tally(`step ${step}`, resolvedResources, resolvedItems, { step });
  }

  unresolved(reason: PassedOnReason): Tally {
    return this.#tally(`reason ${reason}`, unresolvedResources, unresolvedItems, { reason });
  }

  conflicts(action: "replaced" | "kept"): Counter {
    return this.#settings.meter.counter(containerIdConflicts, { ...this.#labels, action });
  }

  holdEnded(result: "woken" | "expired" | "shutdown"): void {
    this.#settings.meter.counter(holdsEnded, { ...this.#labels, result }).add(1);
  }

  /** Lets the gauges read `levels`. Returns a function that ends that. */
  observe(levels: ResolverLevels): () => void {
    const { id, meter, pipeline } = this.#settings;
    const own = { processor: id, pipeline: pipeline ?? "" };
    const ends = [
      meter.observe(holdBytes, own, () => levels.room.bytes),
      meter.observe(holdBatches, own, () => levels.room.batches),
      meter.observe(cacheEntries, own, () => levels.cache.entries),
      meter.observe(cacheBytes, own, () => levels.cache.bytes),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  #tally(
    name: string,
    resources: MetricDefinition,
    items: MetricDefinition,
    label: Readonly<Record<string, string>>,
  ): Tally {
    let tally = this.#tallies.get(name);
    if (tally === undefined) {
      const { meter } = this.#settings;
      tally = {
        resources: meter.counter(resources, { ...this.#labels, ...label }),
        items: meter.counter(items, { ...this.#labels, ...label }),
      };
      this.#tallies.set(name, tally);
    }
    return tally;
  }
}
