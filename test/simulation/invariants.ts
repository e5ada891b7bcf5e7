import type { AccountingSnapshot } from "@inode-gateway/pipeline";
import type { RecordingMeter } from "@inode-gateway/testkit";
import type { Destination } from "./destination.js";
import type { ReceivedItem, SimulatedSignal } from "./items.js";
import type { DestinationPlan, SchedulePlan } from "./schedule-plan.js";
import type { ClientRecords } from "./sending-client.js";
import type { SimulatedRegistry } from "./simulated-registry.js";

/** How much later than its deadline a stop may end: what the engine grants a component, for every stage. */
const STOP_GRACE_MS = 2_500;
/** More sentences than this of one schedule help nobody. */
const VIOLATIONS_MAX = 20;

/** What must be true of every schedule. */
export class Invariants {
  readonly violations: string[] = [];
  readonly #plan: SchedulePlan;
  readonly #records: ClientRecords;
  readonly #registry: SimulatedRegistry;
  /** Items that may be missing at a destination, by `destination/signal`: counted, or in memory when it died. */
  readonly #explained = new Map<string, number>();
  #hasCrashed = false;

  constructor(plan: SchedulePlan, records: ClientRecords, registry: SimulatedRegistry) {
    this.#plan = plan;
    this.#records = records;
    this.#registry = registry;
  }

  violated(sentence: string): void {
    if (this.violations.length < VIOLATIONS_MAX) this.violations.push(sentence);
  }

  /** No wrong `container.id`: the right one, or what the sender itself claimed. */
  checkContainer(destination: string, { containerId, id }: ReceivedItem): void {
    const resource = this.#records.resources.get(id);
    if (resource === undefined) {
      this.violated(`${destination} received item ${id}, which nobody sent`);
      return;
    }
    const truth = this.#registry.truth(resource)?.containerId;
    if (containerId === resource.claimedContainerId || containerId === truth) return;
    this.violated(
      `item ${id} came to ${destination} with container.id ${containerId}, not ${truth ?? "none"}`,
    );
  }

  /** What holds at every moment: the identity is exact, every queue is within its limit. */
  checkMoment(accounting: AccountingSnapshot, meter: RecordingMeter): void {
    for (const { id, signal, unaccounted, ...rest } of accounting.identities) {
      if (unaccounted === 0) continue;
      this.violated(`${unaccounted} items of ${id} ${signal} unaccounted: ${JSON.stringify(rest)}`);
    }
    for (const { isPersistent, name } of this.#plan.destinations) {
      // What an earlier process left on disk is taken in however much it is.
      if (isPersistent) continue;
      for (const signal of this.#plan.signals) {
        const labels = { exporter: `destination/${name}`, data_type: signal };
        const size = meter.value("otelcol_exporter_queue_size", labels) ?? 0;
        const capacity = meter.value("otelcol_exporter_queue_capacity", labels) ?? 0;
        if (size > capacity) this.violated(`queue of ${name} ${signal}: ${size} of ${capacity}`);
      }
    }
  }

  /** After a stop nothing is under way, the identity is exact, and it did not take too long. */
  checkStop(accounting: AccountingSnapshot, tookMs: number): void {
    const { shutdownTimeoutMs } = this.#plan;
    if (tookMs > shutdownTimeoutMs + STOP_GRACE_MS) {
      this.violated(`stopping took ${tookMs} ms, its deadline is ${shutdownTimeoutMs} ms`);
    }
    for (const { held, id, inFlight, signal, unaccounted, ...rest } of accounting.identities) {
      if (held === 0 && inFlight === 0 && unaccounted === 0) continue;
      const counts = JSON.stringify({ held, inFlight, unaccounted, ...rest });
      this.violated(`after the stop ${id} ${signal} is not at rest: ${counts}`);
    }
    this.#explainDrops(accounting);
  }

  checkNoBugs(meter: RecordingMeter): void {
    const bugs = meter.sum("inode_gateway_component_bugs");
    if (bugs > 0) this.violated(`${bugs} exceptions that are no delivery errors`);
  }

  /** What was only in memory is lost with the process, and nothing else. */
  noteCrash(accounting: AccountingSnapshot): void {
    this.#hasCrashed = true;
    this.#explainDrops(accounting);
    for (const { held, id, kind, pipeline, signal } of accounting.components) {
      for (const destination of this.#plan.destinations) {
        const isItself = kind === "exporter" && id === `destination/${destination.name}`;
        const isLost = isItself ? !destination.isPersistent : kind === "processor";
        const isOnTheWay = isItself || pipeline === signal;
        if (isLost && isOnTheWay) this.#explain(destination, signal as SimulatedSignal, held);
      }
    }
    // Behind the batch processor even what is in flight was acknowledged.
    const { gateway, interventions } = this.#plan;
    const everGateway = [gateway, ...interventions.flatMap(({ reload }) => reload ?? [])];
    if (!everGateway.some(({ processors }) => "batch" in processors)) return;
    for (const { id, inFlight, signal } of accounting.identities) {
      const destination = this.#plan.destinations.find(({ name }) => id === `destination/${name}`);
      if (destination !== undefined)
        this.#explain(destination, signal as SimulatedSignal, inFlight);
    }
  }

  /** Every acknowledged item is delivered or explained; no healthy destination sees a duplicate. */
  checkDeliveries(destinations: ReadonlyMap<string, Destination>): void {
    for (const plan of this.#plan.destinations) {
      const destination = destinations.get(plan.name);
      if (destination === undefined) continue;
      for (const signal of this.#plan.signals) this.#checkLosses(destination, plan, signal);
      if (destination.wasAlwaysHealthy && !this.#hasCrashed) this.#checkDuplicates(destination);
    }
  }

  #checkLosses(destination: Destination, plan: DestinationPlan, signal: SimulatedSignal): void {
    const missing = [...this.#records.acknowledged]
      .filter(([id, itsSignal]) => itsSignal === signal && !destination.received.has(id))
      .map(([id]) => id);
    const explained = this.#explained.get(`${plan.name}/${signal}`) ?? 0;
    if (missing.length <= explained) return;
    const some = missing.slice(0, 10).join(", ");
    this.violated(
      `${missing.length} acknowledged items of ${signal} never came to ${plan.name}, ${explained} are explained: ${some}`,
    );
  }

  #checkDuplicates({ name, received }: Destination): void {
    const twice = [...received].filter(
      ([id, count]) => count > 1 && !this.#records.resentBlindly.has(id),
    );
    if (twice.length === 0) return;
    const some = twice
      .slice(0, 10)
      .map(([id, count]) => `${id} (${count} times)`)
      .join(", ");
    this.violated(`${twice.length} items came to ${name} more than once: ${some}`);
  }

  #explainDrops({ components }: AccountingSnapshot): void {
    for (const { dropped, id, kind, pipeline, signal } of components) {
      const items = Object.values(dropped).reduce((sum, count) => sum + count, 0);
      for (const destination of this.#plan.destinations) {
        const isItself = kind === "exporter" && id === `destination/${destination.name}`;
        const isOnTheWay = kind === "processor" && pipeline === signal;
        if (isItself || isOnTheWay) this.#explain(destination, signal as SimulatedSignal, items);
      }
    }
  }

  #explain({ name }: DestinationPlan, signal: SimulatedSignal, items: number): void {
    const key = `${name}/${signal}`;
    this.#explained.set(key, (this.#explained.get(key) ?? 0) + items);
  }
}
