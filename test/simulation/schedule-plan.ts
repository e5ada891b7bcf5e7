import type { Chance } from "./chance.js";
import { badMoods, type Mood } from "./destination.js";
import { type ItemResource, type SimulatedSignal, simulatedSignals, type Tier } from "./items.js";
import { type GatewayFacts, type GatewayPlan, planGateway, planReload } from "./plan-gateway.js";
import type { ClientPlan } from "./sending-client.js";
import type { Outage, SimulatedContainer } from "./simulated-registry.js";

/** Longest time after which every fault has ended. */
const FAULTS_END_MS = 20_000;
const SHUTDOWN_TIMEOUT_MS = 5_000;
/** Two things that somebody does this close to each other overlap. */
const OVERLAP_MS_MAX = 30;
const TENANTS = 3;

/** One destination: what goes wrong with it, and what comes to it. */
export interface DestinationPlan {
  readonly name: string;
  readonly moods: readonly { readonly untilMs: number; readonly mood: Mood }[];
  readonly isPersistent: boolean;
  /** What it gets; both, unless every gateway of this world routes. */
  readonly tiers: readonly Tier[];
}

/** Something that somebody does to the running gateway. */
export interface Intervention {
  readonly atMs: number;
  /** `undefined` kills it, to be started again some time later; else it is told to go over to this. */
  readonly reload: GatewayPlan | undefined;
  /** Whether the next thing happens at its time, however long this one takes. */
  readonly isUnattended: boolean;
}

/** Everything that is drawn before a schedule begins. */
export interface SchedulePlan {
  readonly clients: readonly ClientPlan[];
  readonly containers: readonly SimulatedContainer[];
  /** What the Resources of the items say: containers, and some that nobody knows. */
  readonly resources: readonly ItemResource[];
  readonly registryOutages: readonly Outage[];
  readonly diskFull: readonly Outage[];
  readonly diskSlow: readonly Outage[];
  /** Chance that a record is damaged while nothing runs. */
  readonly damageProbability: number;
  readonly memorySpikes: readonly Outage[];
  readonly destinations: readonly DestinationPlan[];
  readonly signals: readonly SimulatedSignal[];
  /** Whether requests of different tenants must never be merged. */
  readonly isPartitioned: boolean;
  /** What the first process is configured with, with every destination and signal. */
  readonly gateway: GatewayPlan;
  /** In the order of time. */
  readonly interventions: readonly Intervention[];
  /** When the gateway is told to stop; `Infinity` for when every client is done. */
  readonly stopMs: number;
  /** How long after that it is killed; `Infinity` for never. */
  readonly killAfterMs: number;
  readonly shutdownTimeoutMs: number;
}

/** Draws one schedule. Some are calm on purpose: in those nothing at all may be lost. */
export function planSchedule(chance: Chance): SchedulePlan {
  const isCalm = chance.happens(0.2);
  const some = simulatedSignals.filter(() => chance.happens(0.5));
  const signals = some.length > 0 ? some : (["traces"] as const);
  const containers = planContainers(chance);
  const destinations = planDestinations(chance, isCalm);
  const isPartitioned = chance.happens(0.3);
  const facts = { destinations, signals, isCalm, isPartitioned };
  const gateway = planGateway(chance, facts);
  const interventions = planInterventions(chance, gateway, facts);
  const faults = (probability: number) => (isCalm ? [] : outages(chance, probability));
  const canBeKilled = !isCalm && chance.happens(0.1);
  return {
    signals,
    isPartitioned,
    clients: Array.from({ length: chance.between(1, 4) }, () => planClient(chance, isCalm)),
    containers,
    resources: planResources(chance, containers),
    registryOutages: faults(0.3),
    diskFull: faults(0.2),
    diskSlow: faults(0.2),
    damageProbability: !isCalm && chance.happens(0.2) ? 0.7 : 0,
    memorySpikes: faults(0.4),
    destinations,
    gateway,
    interventions,
    stopMs: planStop(chance, interventions),
    killAfterMs: canBeKilled
      ? chance.between(0, 2 * SHUTDOWN_TIMEOUT_MS)
      : Number.POSITIVE_INFINITY,
    shutdownTimeoutMs: SHUTDOWN_TIMEOUT_MS,
  };
}

/** Sometimes in the middle of a reload. */
function planStop(chance: Chance, interventions: readonly Intervention[]): number {
  if (!chance.happens(0.3)) return Number.POSITIVE_INFINITY;
  const last = interventions.at(-1);
  if (last?.reload !== undefined && last.isUnattended && chance.happens(0.5)) {
    return last.atMs + chance.between(1, OVERLAP_MS_MAX);
  }
  return chance.between(100, FAULTS_END_MS);
}

/** Kills and reloads, some of them while another one is under way. */
function planInterventions(
  chance: Chance,
  first: GatewayPlan,
  facts: GatewayFacts,
): Intervention[] {
  const times: number[] = [];
  while (times.length < 5 && chance.happens(0.4)) {
    const atMs = chance.between(1, FAULTS_END_MS);
    times.push(atMs);
    if (chance.happens(0.3)) times.push(atMs + chance.between(0, OVERLAP_MS_MAX));
  }
  times.sort((a, b) => a - b);
  const crashProbability = facts.isCalm ? 0 : chance.oneOf([0, 0, 0.5, 1]);
  let current = first;
  return times.map((atMs, index) => {
    const isOverlapped = (times[index + 1] ?? Number.POSITIVE_INFINITY) - atMs <= OVERLAP_MS_MAX;
    const isUnattended = isOverlapped || chance.happens(0.3);
    if (chance.happens(crashProbability)) return { atMs, reload: undefined, isUnattended };
    const reload = planReload(chance, current, facts);
    if (!reload.isBroken) current = reload;
    return { atMs, reload, isUnattended };
  });
}

function planClient(chance: Chance, isCalm: boolean): ClientPlan {
  return {
    signals: simulatedSignals,
    tenant: `tenant ${chance.between(1, TENANTS)}`,
    requests: chance.between(2, 12),
    // More than many a queue takes in one request.
    itemsMax: chance.happens(0.1) ? 60 : chance.between(1, 8),
    pauseMsMax: chance.oneOf([1, 20, 200, 1_000]),
    timeoutMs:
      !isCalm && chance.happens(0.3) ? chance.between(200, 10_000) : Number.POSITIVE_INFINITY,
    answerLossProbability: !isCalm && chance.happens(0.2) ? 0.2 : 0,
  };
}

/** Some have the same inode on different nodes. */
function planContainers(chance: Chance): SimulatedContainer[] {
  const containers = Array.from({ length: chance.between(1, 6) }, (_, index) => ({
    bootId: bootIdOf(chance.between(1, 2)),
    inode: 100 + chance.between(0, 3),
    containerId: (index + 1).toString(16).padStart(64, "c"),
    publishedAtMs: chance.oneOf([0, 0, 50, 3_000, Number.POSITIVE_INFINITY]),
  }));
  return containers.filter(({ bootId, inode }, index) => {
    return containers.findIndex((one) => one.bootId === bootId && one.inode === inode) === index;
  });
}

function planResources(chance: Chance, containers: readonly SimulatedContainer[]): ItemResource[] {
  const resource = (bootId: string, inode: number): ItemResource => ({
    bootId,
    inode,
    claimedContainerId: chance.happens(0.2) ? "f".repeat(64) : undefined,
    tier: chance.oneOf(["a", "b"]),
    isNoise: chance.happens(0.2),
  });
  return [
    ...containers.map(({ bootId, inode }) => resource(bootId, inode)),
    // The same inode on another node is another container, or none.
    resource(bootIdOf(2), 100),
    resource(bootIdOf(9), 101),
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

/** In some worlds a destination gets one tier only; somebody gets the other one. */
function planDestinations(chance: Chance, isCalm: boolean): DestinationPlan[] {
  const count = chance.oneOf([1, 1, 2, 2, 3]);
  const isTiered = count > 1 && chance.happens(0.15);
  const both = ["a", "b"] as const;
  return Array.from({ length: count }, (_, index) => {
    const own = index < 2 ? both.slice(index, index + 1) : both;
    return planDestination(chance, `d${index}`, { isCalm, tiers: isTiered ? own : both });
  });
}

function planDestination(
  chance: Chance,
  name: string,
  { isCalm, tiers }: { isCalm: boolean; tiers: readonly Tier[] },
): DestinationPlan {
  const moods: { untilMs: number; mood: Mood }[] = [];
  if (!isCalm && chance.happens(0.6)) {
    let atMs = chance.between(0, 2_000);
    moods.push({ untilMs: atMs, mood: "healthy" });
    while (atMs < FAULTS_END_MS && moods.length < 6) {
      atMs += chance.between(10, 8_000);
      moods.push({ untilMs: atMs, mood: chance.oneOf(["healthy", ...badMoods]) });
    }
  }
  return { name, moods, isPersistent: chance.happens(0.3), tiers };
}
