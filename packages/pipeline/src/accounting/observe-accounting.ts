import type { Meter, MetricDefinition } from "@inode-gateway/contract";
import type { Accounting } from "./accounting.js";
import type { IdentityTerms } from "./accounts.js";
import { isEnd, nameKey } from "./closed-accounts.js";
import type { ComponentName, CountedGraph } from "./counted-graph.js";
import {
  acceptedItems,
  deliveredButRefusedItems,
  deliveredItems,
  droppedItems,
  heldItems,
  inFlightItems,
  persistedItems,
  pipelineAcceptedButRefusedItems,
  pipelineInFlightItems,
  pipelineItems,
  processorIncomingItems,
  processorOutgoingItems,
  recoveredItems,
  unaccountedItems,
} from "./metrics.js";

/** The metrics that are terms of the identity; the others are shown per component. */
const IDENTITY_METRICS: readonly [MetricDefinition, Exclude<keyof IdentityTerms, "dropReasons">][] =
  [
    [acceptedItems, "accepted"],
    [deliveredItems, "delivered"],
    [deliveredButRefusedItems, "deliveredButRefused"],
    [inFlightItems, "inFlight"],
    [unaccountedItems, "unaccounted"],
  ];

const COMPONENT_METRICS: readonly [MetricDefinition, "held" | "recovered" | "persisted"][] = [
  [heldItems, "held"],
  [recoveredItems, "recovered"],
  [persistedItems, "persisted"],
];

/**
 * Shows all counts on the metrics page, where they are read when the page is.
 *
 * There is one observation for each name, made when it first comes up and kept over reloads, so that
 * counters neither go back nor count twice.
 */
export class AccountingMetrics {
  readonly #meter: Meter;
  readonly #accounting: Accounting;
  readonly #ends = new Map<string, readonly (() => void)[]>();

  constructor(meter: Meter, accounting: Accounting) {
    this.#meter = meter;
    this.#accounting = accounting;
  }

  /** Shows what is in a graph and not shown yet. */
  show({ components, pipelines }: CountedGraph): void {
    for (const { id } of pipelines) this.#once(`pipeline ${id}`, () => this.#pipeline(id));
    for (const component of components) {
      if (component.signal === undefined) continue;
      this.#once(`component ${nameKey(component)}`, () => this.#component(component));
    }
  }

  /** Shows a reason that a component drops items for. */
  showReason(component: ComponentName, reason: string): void {
    const labels = { ...labelsOf(component), reason };
    this.#once(`reason ${reason} ${nameKey(component)}`, () => [
      this.#meter.observe(
        droppedItems,
        labels,
        () => this.#accounting.component(component).dropped[reason] ?? 0,
      ),
    ]);
  }

  /** Takes everything off the page. */
  end(): void {
    for (const ends of this.#ends.values()) for (const end of ends) end();
    this.#ends.clear();
  }

  #once(key: string, observe: () => readonly (() => void)[]): void {
    if (!this.#ends.has(key)) this.#ends.set(key, observe());
  }

  #pipeline(id: string): (() => void)[] {
    const meter = this.#meter;
    const account = () => this.#accounting.pipeline(id);
    const pipeline = { pipeline: id };
    return [
      meter.observe(pipelineItems, { ...pipeline, outcome: "accepted" }, () => account().accepted),
      meter.observe(pipelineItems, { ...pipeline, outcome: "refused" }, () => account().refused),
      meter.observe(pipelineInFlightItems, pipeline, () => account().inFlight),
      meter.observe(pipelineAcceptedButRefusedItems, pipeline, () => account().acceptedButRefused),
    ];
  }

  #component(component: ComponentName): (() => void)[] {
    const meter = this.#meter;
    const accounting = this.#accounting;
    const { id, kind, signal } = component;
    const name = { id, kind, signal };
    const labels = labelsOf(name);
    const observed = COMPONENT_METRICS.map(([definition, term]) =>
      meter.observe(definition, labels, () => accounting.component(name)[term]),
    );
    if (isEnd(name)) {
      for (const [definition, term] of IDENTITY_METRICS) {
        observed.push(meter.observe(definition, labels, () => accounting.identity(name)[term]));
      }
    }
    if (kind === "processor") {
      const processor = { processor: id, otel_signal: signal ?? "" };
      observed.push(
        meter.observe(processorIncomingItems, processor, () => accounting.flow(name).incoming),
        meter.observe(processorOutgoingItems, processor, () => accounting.flow(name).outgoing),
      );
    }
    return observed;
  }
}

/** Labels of a component; instances of one processor in several pipelines count together. */
function labelsOf({ id, kind, signal }: ComponentName): Record<string, string> {
  return { component_kind: kind, component_id: id, otel_signal: signal ?? "" };
}
