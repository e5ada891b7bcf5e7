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
  /** Part of {@link #items} that a backend refused for good. */
  readonly #rejected = new Map<string, number>();
  #givenUpOnDisk = 0;
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

  /** Items that an exporter gave up at its stop, although its queue is on disk. */
  get givenUpOnDisk(): number {
    return this.#givenUpOnDisk;
  }

  /** Whatever the reason. */
  of(destination: string, signal: SimulatedSignal): number {
    return this.#items.get(`${destination} ${signal}`) ?? 0;
  }

  /** Because a backend refused them for good. */
  rejectedOf(destination: string, signal: SimulatedSignal): number {
    return this.#rejected.get(`${destination} ${signal}`) ?? 0;
  }

  /** A process has ended in order: what it has counted as dropped is missing. */
  noteStop({ components }: AccountingSnapshot): void {
    for (const component of components) {
      for (const [reason, items] of Object.entries(component.dropped)) {
        if (reason === "storage_corrupt") this.#corruptItems += items;
        if (reason === "shutdown" && this.#isOnDisk(component)) this.#givenUpOnDisk += items;
        if (reason === "backend_rejected") this.#explain(component, items, this.#rejected);
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
      if (!this.#isOnDisk(component)) this.#explain(component, component.held);
    }
    if (!batches) return;
    for (const { id, inFlight, signal } of accounting.identities) {
      const destination = this.#plan.destinations.find(({ name }) => id === exporterId(name));
      if (destination === undefined) continue;
      this.#add(destination.name, signal as SimulatedSignal, inFlight);
    }
  }

  #isOnDisk({ id, kind }: ComponentAccount): boolean {
    const destination = this.#plan.destinations.find(({ name }) => id === exporterId(name));
    return kind === "exporter" && destination?.isPersistent === true;
  }

  #explain(component: ComponentAccount, items: number, counts = this.#items): void {
    const { id, kind, pipeline, signal } = component;
    const { destinations } = this.#plan;
    const reached =
      kind === "exporter"
        ? destinations.map(({ name }) => name).filter((name) => id === exporterId(name))
        : destinationsBehind(pipeline ?? "", destinations);
    for (const name of reached) this.#add(name, signal as SimulatedSignal, items, counts);
  }

  #add(destination: string, signal: SimulatedSignal, items: number, counts = this.#items): void {
    const key = `${destination} ${signal}`;
    counts.set(key, (counts.get(key) ?? 0) + items);
  }
}
