import type { Accounting } from "../accounting/accounting.js";
import type { AccountingMetrics } from "../accounting/observe-accounting.js";
import type { CheckedConfiguration } from "../check/checked-configuration.js";
import { buildGraph } from "../graph/build-graph.js";
import type { ComponentNode } from "../graph/component-node.js";
import { countedIn, type Graph } from "../graph/graph.js";
import type { GraphServices, NodeBuilder } from "../graph/node-builder.js";
import { Reusable } from "../graph/reusable.js";
import { orAborted, startNodes } from "../life/start-nodes.js";
import { SHUTDOWN_GRACE_MS, type StopOptions } from "../life/stop-nodes.js";
import { settlesWithin } from "../life/time-limit.js";
import { GraphHost, type PresentState } from "./graph-host.js";
import { isInTheWayOf } from "./reload-plan.js";
import { type RetiredPart, type Retirement, retire } from "./retirement.js";

/** Parts of earlier graphs that drain at the same time; a further reload waits for one to end. */
export const RETIREMENTS_MAX = 8;

/** What the life of the pipelines and their reloads have in common. */
export class ReloadContext {
  readonly services: GraphServices;
  readonly accounting: Accounting;
  /** Aborted when the process begins to stop. */
  readonly stopping = new AbortController();
  /** The instances that were asked to start and not to stop. */
  readonly started = new Set<ComponentNode>();
  readonly #nodes: NodeBuilder;
  readonly #metrics: AccountingMetrics;
  readonly #retirements = new Map<Retirement, RetiredPart>();
  readonly #present: PresentState;

  constructor(
    services: GraphServices,
    parts: {
      readonly accounting: Accounting;
      readonly metrics: AccountingMetrics;
      readonly nodes: NodeBuilder;
      readonly present: PresentState;
    },
  ) {
    this.services = services;
    this.accounting = parts.accounting;
    this.#metrics = parts.metrics;
    this.#nodes = parts.nodes;
    this.#present = parts.present;
  }

  /** Builds a graph, with what `current` has running and it can use; nothing is started. */
  build(checked: CheckedConfiguration, current?: Graph): Graph {
    const { services } = this;
    const reusable = current && new Reusable(current, (node) => this.started.has(node));
    const graph = buildGraph(checked, { services, nodes: this.#nodes, reusable });
    this.#metrics.show(countedIn(graph));
    return graph;
  }

  /** Starts instances of a graph one after another. */
  start(nodes: readonly ComponentNode[], graph: Graph): Promise<void> {
    return startNodes(nodes, {
      host: new GraphHost(graph, this.#present),
      clock: this.services.clock,
      signal: this.stopping.signal,
      onStarting: (node) => this.started.add(node),
    });
  }

  stopOptions(deadlineMs: number): StopOptions {
    const { clock, logger } = this.services;
    return { clock, logger, deadlineMs, started: this.started };
  }

  /** What earlier reloads have retired and what has not stopped yet. */
  get retirements(): readonly Retirement[] {
    return [...this.#retirements.keys()];
  }

  /** Lets a part of a graph drain and stop in the background. */
  retire(part: RetiredPart, deadlineMs: number): void {
    const retirement = retire(part, this.stopOptions(deadlineMs), this.retirements);
    this.#retirements.set(retirement, part);
    void retirement.done.then(() => {
      this.#retirements.delete(retirement);
      this.accounting.retire(part.counted);
    });
  }

  /** Resolves when another part may be retired. */
  async roomForRetirement(): Promise<void> {
    const { signal } = this.stopping;
    while (this.#retirements.size >= RETIREMENTS_MAX && !signal.aborted) {
      const next = Promise.race(this.retirements.map(({ done }) => done));
      await orAborted(next, signal);
    }
  }

  /** Waits for what earlier reloads retired and has to stop before these can start. */
  async waitForPredecessors(added: readonly ComponentNode[]): Promise<void> {
    const inTheWay = [...this.#retirements].filter(([, { nodes }]) =>
      [...nodes].some((old) => added.some((fresh) => isInTheWayOf(old, fresh))),
    );
    const gone = Promise.all(inTheWay.map(([{ done }]) => done)).then(() => undefined);
    await orAborted(gone, this.stopping.signal);
  }

  /** Waits until nothing retired feeds an exporter any more, until the deadline. */
  async retirementsFlowed(deadlineMs: number): Promise<void> {
    await this.#within(
      this.retirements.map(({ flowed }) => flowed),
      deadlineMs,
    );
  }

  /**
   * Waits until everything retired has stopped; what has not by the deadline is given up. As every stop
   * it may be back a little late: an exporter that is cut off at the deadline still answers.
   */
  async retirementsDone(deadlineMs: number): Promise<void> {
    await this.#within(
      this.retirements.map(({ done }) => done),
      Math.max(deadlineMs, this.services.clock.nowMs()) + SHUTDOWN_GRACE_MS,
    );
    for (const { counted, nodes } of this.#retirements.values()) {
      for (const { tally } of nodes) tally.abandon("shutdown");
      this.accounting.retire(counted);
    }
    this.#retirements.clear();
  }

  /** Takes all counts off the metrics page. */
  endObserving(): void {
    this.#metrics.end();
  }

  async #within(promises: readonly Promise<void>[], deadlineMs: number): Promise<void> {
    if (promises.length === 0) return;
    const { clock } = this.services;
    const limitMs = Math.max(0, deadlineMs - clock.nowMs());
    await settlesWithin(Promise.all(promises), limitMs, clock);
  }
}
