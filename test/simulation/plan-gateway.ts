import type { Chance } from "./chance.js";
import type { SimulatedSignal, Tier } from "./items.js";
import { MEMORY_LIMIT_MIB } from "./simulated-memory.js";

/** How the pipelines of one signal lead from the clients to the exporters. */
export type Layout =
  /** One pipeline with all exporters. */
  | "single"
  /** One pipeline for each exporter, side by side. */
  | "split"
  /** One pipeline behind another. */
  | "forward"
  /** A pipeline for each {@link Tier} behind a common one. */
  | "routing";

/** A section of the configuration, as an operator writes it. */
export type Section = Readonly<Record<string, unknown>>;

/** What a process is configured with. */
export interface GatewayPlan {
  /** Sections of the exporters, by the name of their destination. */
  readonly exporters: Readonly<Record<string, Section>>;
  /** Sections of the processors, by ID; their order is {@link processorOrder}. */
  readonly processors: Readonly<Record<string, Section>>;
  readonly layout: Layout;
  /** Whether, of two pipelines in a row, the second one batches. */
  readonly batchesBehind: boolean;
  readonly signals: readonly SimulatedSignal[];
  /** Has an extension that cannot start, so that going over to it must be taken back. */
  readonly isBroken: boolean;
}

/** What a gateway is drawn for, the same for all configurations of one world. */
export interface GatewayFacts {
  readonly destinations: readonly {
    readonly name: string;
    readonly isPersistent: boolean;
    readonly tiers: readonly Tier[];
  }[];
  readonly signals: readonly SimulatedSignal[];
  readonly isCalm: boolean;
  /** Whether requests of different tenants must never be merged. */
  readonly isPartitioned: boolean;
}

/** The order of processors in a pipeline; `batch` comes last, as the documentation says. */
export const processorOrder = [
  "memory_limiter",
  "filter",
  "probabilistic_sampler",
  "resource",
  "attributes",
  "inode_resolver",
] as const;

/** Metadata of requests by which batches are partitioned. */
export const TENANT_KEY = "x-tenant";

/** Draws one configuration. */
export function planGateway(chance: Chance, facts: GatewayFacts): GatewayPlan {
  const { destinations, isCalm, signals } = facts;
  const exporters = destinations.map(({ isPersistent, name }) => {
    return [name, planExporter(chance, isPersistent, facts)] as const;
  });
  const isTiered = destinations.some(({ tiers }) => tiers.length < 2);
  return {
    signals,
    exporters: Object.fromEntries(exporters),
    processors: {
      ...(chance.happens(0.7) ? { inode_resolver: planResolver(chance) } : {}),
      ...(!isCalm && chance.happens(0.25) ? { batch: planBatch(chance, facts) } : {}),
      ...(!isCalm && chance.happens(0.2) ? { memory_limiter: planLimiter(chance) } : {}),
      ...planDropping(chance),
      ...planEditing(chance),
    },
    layout: isTiered
      ? "routing"
      : chance.oneOf(["single", "single", "single", "split", "forward", "routing"]),
    batchesBehind: chance.happens(0.5),
    isBroken: false,
  };
}

/** Draws what a gateway is told to go over to: some of what was there before, as people do. */
export function planReload(chance: Chance, current: GatewayPlan, facts: GatewayFacts): GatewayPlan {
  const drawn = planGateway(chance, facts);
  const keep = () => chance.happens(0.5);
  const exporters = Object.entries(drawn.exporters).map(([name, section]) => {
    return [name, keep() ? (current.exporters[name] ?? section) : section] as const;
  });
  const isTiered = facts.destinations.some(({ tiers }) => tiers.length < 2);
  // Some exporter and some pipeline must be left; a tier without an exporter has nowhere to go.
  const kept = isTiered
    ? exporters
    : exporters.filter(([name], index) => {
        return index === 0 || chance.happens(name in current.exporters ? 0.9 : 0.5);
      });
  const signals = facts.signals.filter((signal, index) => {
    return index === 0 || chance.happens(current.signals.includes(signal) ? 0.9 : 0.5);
  });
  return {
    signals,
    exporters: Object.fromEntries(kept),
    processors: keep() ? current.processors : drawn.processors,
    layout: chance.happens(0.8) ? current.layout : drawn.layout,
    batchesBehind: chance.happens(0.8) ? current.batchesBehind : drawn.batchesBehind,
    isBroken: chance.happens(0.2),
  };
}

function planExporter(
  chance: Chance,
  isPersistent: boolean,
  { isCalm, isPartitioned }: GatewayFacts,
): Section {
  const isQueued = isPersistent || chance.happens(0.7);
  return {
    timeout: `${chance.between(50, 3_000)}ms`,
    retry_on_failure: {
      enabled: isCalm || chance.happens(0.8),
      initial_interval: `${chance.between(10, 1_000)}ms`,
      max_interval: `${chance.between(1_000, 5_000)}ms`,
      max_elapsed_time: chance.oneOf(["0s", "1s", "10s", "60s"]),
    },
    sending_queue: isQueued ? planQueue(chance, isPersistent, isPartitioned) : { enabled: false },
  };
}

function planQueue(chance: Chance, isPersistent: boolean, isPartitioned: boolean): Section {
  const sizer = chance.oneOf(["requests", "items", "bytes"] as const);
  const unit = { requests: 1, items: 16, bytes: 4_000 }[sizer];
  const queueSize = unit * chance.between(1, 20);
  const minItems = Math.min(chance.between(1, 30), sizer === "items" ? queueSize : 30);
  const batch = {
    flush_timeout: `${chance.between(1, 500)}ms`,
    min_size: minItems,
    max_size: chance.happens(0.5) ? 0 : minItems + chance.between(0, 20),
    ...(isPartitioned ? { partition: { metadata_keys: [TENANT_KEY] } } : {}),
  };
  return {
    num_consumers: chance.oneOf([1, 1, 2, 4]),
    queue_size: queueSize,
    sizer,
    block_on_overflow: chance.happens(0.2),
    ...(isPersistent ? { storage: "disk" } : { wait_for_result: chance.happens(0.2) }),
    ...(chance.happens(0.4) ? { batch } : {}),
  };
}

function planResolver(chance: Chance): Section {
  const hold = chance.oneOf([
    { timeout: "0s" },
    { timeout: `${chance.between(1, 500)}ms`, batches_max: chance.between(1, 5) },
    {},
  ]);
  return { registry: "registry", hold };
}

function planBatch(chance: Chance, { isPartitioned }: GatewayFacts): Section {
  return {
    timeout: `${chance.between(1, 400)}ms`,
    send_batch_size: chance.between(1, 30),
    send_batch_max_size: chance.happens(0.5) ? 0 : 30 + chance.between(0, 10),
    ...(isPartitioned
      ? { metadata_keys: [TENANT_KEY], metadata_cardinality_limit: chance.between(1, 3) }
      : {}),
  };
}

function planLimiter(chance: Chance): Section {
  return {
    check_interval: chance.oneOf(["500ms", "1s", "2s"]),
    limit_mib: MEMORY_LIMIT_MIB,
    spike_limit_mib: chance.oneOf([0, 20, 80]),
  };
}

/** Processors that drop on purpose. */
function planDropping(chance: Chance): Readonly<Record<string, Section>> {
  const conditions = ['resource.attributes["noise"] == true'];
  const filter = {
    trace_conditions: conditions,
    metric_conditions: conditions,
    log_conditions: conditions,
  };
  const sampler = { sampling_percentage: chance.oneOf([10, 50, 90]) };
  return {
    ...(chance.happens(0.2) ? { filter } : {}),
    ...(chance.happens(0.1) ? { probabilistic_sampler: sampler } : {}),
  };
}

/** Processors that change what the invariants do not look at. */
function planEditing(chance: Chance): Readonly<Record<string, Section>> {
  const attribute = { key: "edited", value: "yes", action: "upsert" };
  return {
    ...(chance.happens(0.1) ? { resource: { attributes: [attribute] } } : {}),
    ...(chance.happens(0.1) ? { attributes: { actions: [attribute] } } : {}),
  };
}
