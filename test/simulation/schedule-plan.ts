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
  /** The exporter's section of the configuration. */
  readonly exporter: Readonly<Record<string, unknown>>;
  readonly isPersistent: boolean;
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
  readonly processors: Readonly<Record<string, Record<string, unknown>>>;
  /** When the gateway is killed; it is started again some time later. */
  readonly crashesMs: readonly number[];
  /** When the gateway is told to stop; `Infinity` for when every client is done. */
  readonly stopMs: number;
  readonly shutdownTimeoutMs: number;
}

/** Draws one schedule. Some are calm on purpose: in those nothing at all may be lost. */
export function planSchedule(chance: Chance): SchedulePlan {
  const isCalm = chance.happens(0.2);
  const mayCrash = !isCalm && chance.happens(0.3);
  const signals = simulatedSignals.filter(() => chance.happens(0.5));
  const containers = planContainers(chance);
  const destinationCount = chance.oneOf([1, 1, 2, 2, 3]);
  return {
    signals: signals.length > 0 ? signals : ["traces"],
    clients: Array.from({ length: chance.between(1, 4) }, () => planClient(chance, isCalm)),
    containers,
    resources: planResources(chance, containers),
    registryOutages: isCalm ? [] : outages(chance, 0.3),
    diskFull: isCalm ? [] : outages(chance, 0.2),
    destinations: Array.from({ length: destinationCount }, (_, index) =>
      planDestination(chance, `d${index}`, isCalm),
    ),
    processors: {
      ...(chance.happens(0.7) ? { inode_resolver: planResolver(chance) } : {}),
      ...(!isCalm && chance.happens(0.25) ? { batch: planBatch(chance) } : {}),
    },
    crashesMs: mayCrash
      ? Array.from({ length: chance.between(1, 3) }, () => chance.between(1, FAULTS_END_MS)).sort(
          (a, b) => a - b,
        )
      : [],
    stopMs: chance.happens(0.3) ? chance.between(100, FAULTS_END_MS) : Number.POSITIVE_INFINITY,
    shutdownTimeoutMs: SHUTDOWN_TIMEOUT_MS,
  };
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
  return { name, moods, isPersistent, exporter: planExporter(chance, isPersistent, isCalm) };
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
