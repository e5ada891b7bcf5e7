import type { AccountingSnapshot, ComponentAccount } from "@inode-gateway/pipeline";
import { destinationsBehind, exporterId } from "./gateway-configuration.js";
import type { SimulatedSignal } from "./items.js";
import type { SchedulePlan } from "./schedule-plan.js";

/** Reasons that say nothing of how many items may be missing: which ones is known exactly. */
const KNOWN_BY_ITEM: readonly string[] = ["filtered"];

/** How many acknowledged items may be missing at each destination, since something counted says so. */
export class ExplainedLosses {
  readonly #plan: SchedulePlan;
  /** By destination and signal. */
  readonly #items = new Map<string, number>();
  #corruptItems = 0;
  #hasCrashed = false;

  constructor(plan: SchedulePlan) {
    this.#plan = plan;
  }

  /** Whether any process died: then a destination may see what it has already. */
  get hasCrashed(): boolean {
    return this.#hasCrashed;
  }

  /** Items that were dropped because a record on disk was not what had been written. */
  get corruptItems(): number {
    return this.#corruptItems;
  }

  of(destination: string, signal: SimulatedSignal): number {
    return this.#items.get(`${destination} ${signal}`) ?? 0;
  }

  /** A process has ended in order: what it has counted as dropped is missing. */
  noteStop({ components }: AccountingSnapshot): void {
    for (const component of components) {
      for (const [reason, items] of Object.entries(component.dropped)) {
        if (reason === "storage_corrupt") this.#corruptItems += items;
        if (!KNOWN_BY_ITEM.includes(reason)) this.#explain(component, items);
      }
    }
  }

  /**
   * A process was killed: what was only in its memory is lost too, and nothing else.
   *
   * @param batches whether anything was acknowledged that is neither held nor delivered, as behind a
   *   batch processor
   */
  noteCrash(accounting: AccountingSnapshot, batches: boolean): void {
    this.#hasCrashed = true;
    this.noteStop(accounting);
    for (const component of accounting.components) {
      const { id, kind } = component;
      const destination = this.#plan.destinations.find(({ name }) => id === exporterId(name));
      const isOnDisk = kind === "exporter" && destination?.isPersistent === true;
      if (!isOnDisk) this.#explain(component, component.held);
    }
    if (!batches) return;
    for (const { id, inFlight, signal } of accounting.identities) {
      const destination = this.#plan.destinations.find(({ name }) => id === exporterId(name));
      if (destination === undefined) continue;
      this.#add(destination.name, signal as SimulatedSignal, inFlight);
    }
  }

  #explain({ id, kind, pipeline, signal }: ComponentAccount, items: number): void {
    const { destinations } = this.#plan;
    const reached =
      kind === "exporter"
        ? destinations.map(({ name }) => name).filter((name) => id === exporterId(name))
        : destinationsBehind(pipeline ?? "", destinations);
    for (const name of reached) this.#add(name, signal as SimulatedSignal, items);
  }

  #add(destination: string, signal: SimulatedSignal, items: number): void {
    const key = `${destination} ${signal}`;
    this.#items.set(key, (this.#items.get(key) ?? 0) + items);
  }
}
