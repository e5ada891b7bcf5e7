import type { BatchOrigin } from "@inode-gateway/contract";
import type { AccountingSnapshot } from "@inode-gateway/pipeline";
import type { RecordingMeter } from "@inode-gateway/testkit";
import type { ClientRecords } from "./client-records.js";
import { exporterId } from "./gateway-configuration.js";
import type { ReceivedItem } from "./items.js";
import { TENANT_KEY } from "./plan-gateway.js";
import type { SchedulePlan } from "./schedule-plan.js";
import type { SimulatedRegistry } from "./simulated-registry.js";

/** How much later than its deadline a stop may end: what the engine grants a component, for every stage. */
const STOP_GRACE_MS = 2_500;
/** More sentences than this of one schedule help nobody. */
const VIOLATIONS_MAX = 20;

/** What must be true at every moment of a schedule, and of every stop. */
export class Invariants {
  readonly violations: string[] = [];
  readonly #plan: SchedulePlan;
  readonly #records: ClientRecords;
  readonly #registry: SimulatedRegistry;

  constructor(plan: SchedulePlan, records: ClientRecords, registry: SimulatedRegistry) {
    this.#plan = plan;
    this.#records = records;
    this.#registry = registry;
  }

  violated(sentence: string): void {
    if (this.violations.length < VIOLATIONS_MAX) this.violations.push(sentence);
  }

  /** What holds of every request that a destination gets, whether it takes it or not. */
  checkReceived(
    destination: string,
    items: readonly ReceivedItem[],
    metadata: BatchOrigin["metadata"],
  ): void {
    for (const item of items) this.#checkItem(destination, item);
    if (!this.#plan.isPartitioned) return;
    const tenants = new Set(items.map(({ id }) => this.#records.requestOf(id)?.tenant));
    const named = metadata.get(TENANT_KEY) ?? [];
    if (tenants.size === 1 && named.length === 1 && tenants.has(named[0])) return;
    const whose = [...tenants].join(", ");
    this.violated(`${destination} received items of ${whose} in a request of ${named.join(", ")}`);
  }

  /** No wrong `container.id`: the right one, or what the sender itself claimed. And no wrong way. */
  #checkItem(destination: string, { containerId, id }: ReceivedItem): void {
    const resource = this.#records.resourceOf(id);
    if (resource === undefined) {
      this.violated(`${destination} received item ${id}, which nobody sent`);
      return;
    }
    const plan = this.#plan.destinations.find(({ name }) => name === destination);
    if (plan?.tiers.includes(resource.tier) === false) {
      this.violated(`item ${id} of tier ${resource.tier} was routed to ${destination}`);
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
        const labels = { exporter: exporterId(name), data_type: signal };
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
  }

  checkNoBugs(meter: RecordingMeter): void {
    const bugs = meter.sum("inode_gateway_component_bugs");
    if (bugs > 0) this.violated(`${bugs} exceptions that are no delivery errors`);
  }
}
