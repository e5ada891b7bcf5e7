import { exporterId } from "./gateway-configuration.js";
import type { GatewayPlan } from "./plan-gateway.js";

/** A span of time, both ends included; `untilMs` is infinite while it lasts. */
interface Span {
  readonly fromMs: number;
  untilMs: number;
}

/** A reload that was asked for and has not been answered. */
export interface PendingReload {
  readonly plan: GatewayPlan;
  readonly span: Span;
}

/**
 * Which configurations a world's gateway has had, and when: while a reload is under way, nobody outside
 * can say which of two is in force.
 */
export class GatewayHistory {
  /** Every configuration that was ever asked for. */
  readonly plans: GatewayPlan[] = [];
  readonly #reloads: Span[] = [];
  /** When pipelines, or the order of what is in them, may have been exchanged for others. */
  readonly #reshapes: Span[] = [];
  readonly #absences = new Map<string, Span[]>();
  readonly #pending = new Set<PendingReload>();
  #inForce: GatewayPlan;

  constructor(first: GatewayPlan) {
    this.#inForce = first;
    this.plans.push(first);
  }

  /** What a process starts with, or goes on with. */
  get inForce(): GatewayPlan {
    return this.#inForce;
  }

  begin(plan: GatewayPlan, nowMs: number): PendingReload {
    const span = { fromMs: nowMs, untilMs: Number.POSITIVE_INFINITY };
    this.plans.push(plan);
    this.#reloads.push(span);
    const before = [this.#inForce, ...[...this.#pending].map((pending) => pending.plan)];
    if (before.some((other) => shapeOf(other) !== shapeOf(plan))) this.#reshapes.push(span);
    const reload = { plan, span };
    this.#pending.add(reload);
    this.#noteAbsences(nowMs);
    return reload;
  }

  /** @param isInForce whether its configuration is the one from now on */
  end(reload: PendingReload, isInForce: boolean, nowMs: number): void {
    this.#pending.delete(reload);
    reload.span.untilMs = nowMs;
    if (isInForce) this.#inForce = reload.plan;
    this.#noteAbsences(nowMs);
  }

  /** A process starts with this one; what an earlier process was asked for is over. */
  start(plan: GatewayPlan, nowMs: number): void {
    for (const reload of [...this.#pending]) this.end(reload, false, nowMs);
    this.#inForce = plan;
    this.#noteAbsences(nowMs);
  }

  /** Whether a destination was configured, for certain, in all of this time. */
  wasPresent(destination: string, fromMs: number, untilMs: number): boolean {
    const absences = this.#absences.get(destination) ?? [];
    return !absences.some((span) => overlaps(span, fromMs, untilMs));
  }

  /** Whether a retry may have come to other pipelines than the try before it. */
  wasReshaped(fromMs: number, untilMs: number): boolean {
    return this.#reshapes.some((span) => overlaps(span, fromMs, untilMs));
  }

  /** Whether some reload began at this moment or before. */
  beganReloadBy(nowMs: number): boolean {
    return this.#reloads.some(({ fromMs }) => fromMs <= nowMs);
  }

  /** Whether every configuration had this in its section of an exporter, or had no such exporter. */
  always(destination: string, holds: (exporter: GatewayPlan["exporters"][string]) => boolean) {
    return this.plans.every(({ exporters }) => {
      const exporter = exporters[destination];
      return exporter === undefined || holds(exporter);
    });
  }

  #noteAbsences(nowMs: number): void {
    const possible = [this.#inForce, ...[...this.#pending].map(({ plan }) => plan)];
    for (const name of new Set(this.plans.flatMap(({ exporters }) => Object.keys(exporters)))) {
      const spans = this.#absences.get(name) ?? [];
      this.#absences.set(name, spans);
      const last = spans.at(-1);
      const isOpen = last?.untilMs === Number.POSITIVE_INFINITY;
      const isAbsent = possible.some(({ exporters }) => !(name in exporters));
      if (isAbsent && !isOpen) spans.push({ fromMs: nowMs, untilMs: Number.POSITIVE_INFINITY });
      else if (!isAbsent && isOpen && last !== undefined) last.untilMs = nowMs;
    }
  }
}

function overlaps(span: Span, fromMs: number, untilMs: number): boolean {
  return span.fromMs <= untilMs && span.untilMs >= fromMs;
}

/** What a fan-out's memory of a try depends on: its place, its branches, and what is left of a request. */
function shapeOf({ batchesBehind, exporters, layout, processors }: GatewayPlan): string {
  const { filter, probabilistic_sampler: sampler } = processors;
  const ids = Object.keys(exporters).map(exporterId).sort();
  return JSON.stringify([layout, batchesBehind, "batch" in processors, filter, sampler, ids]);
}
