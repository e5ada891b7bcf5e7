import type { Chance } from "./chance.js";
import { badMoods, type Mood } from "./destination.js";
import type { ItemResource, SimulatedSignal } from "./items.js";
import { simulatedSignals } from "./items.js";
import type { ClientPlan } from "./sending-client.js";
import type { Outage, SimulatedContainer } from "./simulated-registry.js";

/** Longest time after which every fault has ended. */
const FAULTS_END_MS = 20_000;
const SHUTDOWN_TIMEOUT_MS = 5_000;

/** One destination: its exporter and what goes wrong with it. */
export interface DestinationPlan {
  readonly name: string;
  readonly moods: readonly { readonly untilMs: number; readonly mood: Mood }[];
  readonly isPersistent: boolean;
}

/** What a process is configured with. */
export interface GatewayPlan {
  /** Sections of the exporters, by the name of their destination. */
  readonly exporters: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly processors: Readonly<Record<string, Record<string, unknown>>>;
  readonly signals: readonly SimulatedSignal[];
  /** Has an extension that cannot start, so that going over to it must be taken back. */
  readonly isBroken: boolean;
}

/** Something that somebody does to the running gateway. */
export interface Intervention {
  readonly atMs: number;
  /** `undefined` kills it, to be started again some time later; else it is told to go over to this. */
  readonly reload: GatewayPlan | undefined;
}

/** Everything that is drawn before a schedule begins. */
export interface SchedulePlan {
  readonly clients: readonly ClientPlan[];
  readonly containers: readonly SimulatedContainer[];
  /** What the Resources of the items say: containers, and some that nobody knows. */
  readonly resources: readonly ItemResource[];
  readonly registryOutages: readonly Outage[];
  readonly diskFull: readonly Outage[];
  readonly destinations: readonly DestinationPlan[];
  readonly signals: readonly SimulatedSignal[];
  /** What the first process is configured with. */
  readonly gateway: GatewayPlan;
  /** In the order of time. */
  readonly interventions: readonly Intervention[];
  /** When the gateway is told to stop; `Infinity` for when every client is done. */
  readonly stopMs: number;
  readonly shutdownTimeoutMs: number;
}

/** Draws one schedule. Some are calm on purpose: in those nothing at all may be lost. */
export function planSchedule(chance: Chance): SchedulePlan {
  const isCalm = chance.happens(0.2);
  const some = simulatedSignals.filter(() => chance.happens(0.5));
  const signals = some.length > 0 ? some : (["traces"] as const);
  const containers = planContainers(chance);
  const destinations = Array.from({ length: chance.oneOf([1, 1, 2, 2, 3]) }, (_, index) =>
    planDestination(chance, `d${index}`, isCalm),
  );
  const gateway = planGateway(chance, { destinations, signals, isCalm });
  return {
    signals,
    clients: Array.from({ length: chance.between(1, 4) }, () => planClient(chance, isCalm)),
    containers,
    resources: planResources(chance, containers),
    registryOutages: isCalm ? [] : outages(chance, 0.3),
    diskFull: isCalm ? [] : outages(chance, 0.2),
    destinations,
    gateway,
    interventions: planInterventions(chance, gateway, { destinations, signals, isCalm }),
    stopMs: chance.happens(0.3) ? chance.between(100, FAULTS_END_MS) : Number.POSITIVE_INFINITY,
    shutdownTimeoutMs: SHUTDOWN_TIMEOUT_MS,
  };
}

interface GatewayFacts {
  readonly destinations: readonly DestinationPlan[];
  readonly signals: readonly SimulatedSignal[];
  readonly isCalm: boolean;
}

function planGateway(chance: Chance, { destinations, isCalm, signals }: GatewayFacts): GatewayPlan {
  const exporters = destinations.map(({ isPersistent, name }) => {
    return [name, planExporter(chance, isPersistent, isCalm)] as const;
  });
  return {
    signals,
    exporters: Object.fromEntries(exporters),
    processors: {
      ...(chance.happens(0.7) ? { inode_resolver: planResolver(chance) } : {}),
      ...(!isCalm && chance.happens(0.25) ? { batch: planBatch(chance) } : {}),
    },
    isBroken: false,
  };
}

/** Kills and reloads; a reload changes some of what was there before, as people do. */
function planInterventions(
  chance: Chance,
  first: GatewayPlan,
  facts: GatewayFacts,
): Intervention[] {
  const times: number[] = [];
  while (times.length < 5 && chance.happens(0.4)) times.push(chance.between(1, FAULTS_END_MS));
  times.sort((a, b) => a - b);
  const crashProbability = facts.isCalm ? 0 : chance.oneOf([0, 0, 0.5, 1]);
  let current = first;
  return times.map((atMs) => {
    if (chance.happens(crashProbability)) return { atMs, reload: undefined };
    const drawn = planGateway(chance, facts);
    const keep = () => chance.happens(0.5);
    const exporters = Object.entries(current.exporters).map(([name, section]) => {
      return [name, keep() ? section : (drawn.exporters[name] ?? section)] as const;
    });
    const next = {
      ...current,
      exporters: Object.fromEntries(exporters),
      processors: keep() ? current.processors : drawn.processors,
    };
    if (chance.happens(0.2)) return { atMs, reload: { ...next, isBroken: true } };
    current = next;
    return { atMs, reload: next };
  });
}

function planClient(chance: Chance, isCalm: boolean): ClientPlan {
  return {
    signals: simulatedSignals,
    requests: chance.between(2, 12),
    itemsMax: chance.between(1, 8),
    pauseMsMax: chance.oneOf([1, 20, 200, 1_000]),
    timeoutMs:
      !isCalm && chance.happens(0.3) ? chance.between(200, 10_000) : Number.POSITIVE_INFINITY,
    answerLossProbability: !isCalm && chance.happens(0.2) ? 0.2 : 0,
  };
}

function planContainers(chance: Chance): SimulatedContainer[] {
  return Array.from({ length: chance.between(1, 6) }, (_, index) => ({
    bootId: bootIdOf(chance.between(1, 2)),
    inode: 100 + index,
    containerId: (index + 1).toString(16).padStart(64, "c"),
    publishedAtMs: chance.oneOf([0, 0, 50, 3_000, Number.POSITIVE_INFINITY]),
  }));
}

function planResources(chance: Chance, containers: readonly SimulatedContainer[]): ItemResource[] {
  const claim = () => (chance.happens(0.2) ? "f".repeat(64) : undefined);
  const known = containers.map(({ bootId, inode }) => {
    return { bootId, inode, claimedContainerId: claim() };
  });
  return [
    ...known,
    // The same inode on another node is another container, or none.
    { bootId: bootIdOf(2), inode: 100, claimedContainerId: claim() },
    { bootId: bootIdOf(9), inode: 101, claimedContainerId: claim() },
  ];
}

function bootIdOf(node: number): string {
  return `00000000-0000-4000-8000-${String(node).padStart(12, "0")}`;
}

function outages(chance: Chance, probability: number): Outage[] {
  const found: Outage[] = [];
  while (found.length < 3 && chance.happens(probability)) {
    const fromMs = chance.between(0, FAULTS_END_MS / 2);
    found.push({ fromMs, untilMs: fromMs + chance.between(10, FAULTS_END_MS / 2) });
  }
  return found;
}

function planDestination(chance: Chance, name: string, isCalm: boolean): DestinationPlan {
  const moods: { untilMs: number; mood: Mood }[] = [];
  if (!isCalm && chance.happens(0.6)) {
    let atMs = chance.between(0, 2_000);
    moods.push({ untilMs: atMs, mood: "healthy" });
    while (atMs < FAULTS_END_MS && moods.length < 6) {
      atMs += chance.between(10, 8_000);
      moods.push({ untilMs: atMs, mood: chance.oneOf(["healthy", ...badMoods]) });
    }
  }
  const isPersistent = chance.happens(0.3);
  return { name, moods, isPersistent };
}

function planExporter(
  chance: Chance,
  isPersistent: boolean,
  isCalm: boolean,
): Readonly<Record<string, unknown>> {
  const isQueued = isPersistent || chance.happens(0.7);
  return {
    timeout: `${chance.between(50, 3_000)}ms`,
    retry_on_failure: {
      enabled: isCalm || chance.happens(0.8),
      initial_interval: `${chance.between(10, 1_000)}ms`,
      max_interval: `${chance.between(1_000, 5_000)}ms`,
      max_elapsed_time: chance.oneOf(["0s", "1s", "10s", "60s"]),
    },
    sending_queue: isQueued ? planQueue(chance, isPersistent) : { enabled: false },
  };
}

function planQueue(chance: Chance, isPersistent: boolean): Readonly<Record<string, unknown>> {
  const sizer = chance.oneOf(["requests", "items", "bytes"] as const);
  const unit = { requests: 1, items: 16, bytes: 4_000 }[sizer];
  const queueSize = unit * chance.between(1, 20);
  const minItems = Math.min(chance.between(1, 30), sizer === "items" ? queueSize : 30);
  const batch = {
    flush_timeout: `${chance.between(1, 500)}ms`,
    min_size: minItems,
    max_size: chance.happens(0.5) ? 0 : minItems + chance.between(0, 20),
  };
  return {
    num_consumers: chance.between(1, 4),
    queue_size: queueSize,
    sizer,
    block_on_overflow: chance.happens(0.2),
    ...(isPersistent ? { storage: "disk" } : { wait_for_result: chance.happens(0.2) }),
    ...(chance.happens(0.4) ? { batch } : {}),
  };
}

function planResolver(chance: Chance): Record<string, unknown> {
  const hold = chance.oneOf([
    { timeout: "0s" },
    { timeout: `${chance.between(1, 500)}ms`, batches_max: chance.between(1, 5) },
    {},
  ]);
  return { registry: "registry", hold };
}

function planBatch(chance: Chance): Record<string, unknown> {
  return {
    timeout: `${chance.between(1, 400)}ms`,
    send_batch_size: chance.between(1, 30),
    send_batch_max_size: chance.happens(0.5) ? 0 : 30 + chance.between(0, 10),
  };
}
