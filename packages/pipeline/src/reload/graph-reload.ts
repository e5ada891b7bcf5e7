import type { CheckedConfiguration } from "../check/checked-configuration.js";
import { PAUSE_LIMIT_MS } from "../flow/gate.js";
import { type ComponentNode, describeComponent } from "../graph/component-node.js";
import { countedIn, type Graph, nodesOf, type Route, routesOf } from "../graph/graph.js";
import { StartError } from "../life/start-error.js";
import { tellReady } from "../life/start-nodes.js";
import { stopNodes } from "../life/stop-nodes.js";
import type { ReloadContext } from "./reload-context.js";
import type { ReloadOutcome } from "./reload-outcome.js";
import {
  extensionsAmong,
  isTouched,
  isUnchanged,
  planReload,
  type ReloadPlan,
} from "./reload-plan.js";
import { retire } from "./retirement.js";

/**
 * How long components may take to stop while requests wait for their successors: less than these wait,
 * so that the successors have time to start.
 */
export const BLOCKING_STOP_MS = PAUSE_LIMIT_MS - 1_000;

/** How long what was started of a configuration that failed may take to stop again. */
const UNWIND_MS = 5_000;

/** One way from a running graph to another configuration, and back when that fails. */
export class GraphReload {
  readonly #context: ReloadContext;
  readonly #from: Graph;
  readonly #deadlineMs: number;
  #inForce: Graph;
  #involved: readonly Graph[];

  constructor(context: ReloadContext, from: Graph, deadlineMs: number) {
    this.#context = context;
    this.#from = from;
    this.#deadlineMs = deadlineMs;
    this.#inForce = from;
    this.#involved = [from];
  }

  /** The graph that telemetry goes through. */
  get inForce(): Graph {
    return this.#inForce;
  }

  /** The graphs of which instances may be running, but for those that are being retired. */
  get involved(): readonly Graph[] {
    return this.#involved;
  }

  /** Goes over to a configuration; once only. Never rejects. */
  async run(checked: CheckedConfiguration): Promise<ReloadOutcome> {
    let to: Graph;
    try {
      to = this.#context.build(checked, this.#from);
    } catch (error) {
      return { outcome: "rolled_back", ...failureOf(error) };
    }
    const plan = planReload(this.#from, to);
    if (isUnchanged(plan)) return { outcome: "unchanged" };
    for (const { status } of plan.added) status.mute();
    this.#involved = [this.#from, to];
    this.#context.accounting.add(countedIn(to));
    try {
      await this.#goOver(to, plan);
    } catch (error) {
      if (this.#context.stopping.signal.aborted) return this.#giveUp(plan.moved);
      return this.#rollBack(to, plan, error);
    }
    this.#commit(to, plan);
    const { added, removed } = plan;
    return {
      outcome: "applied",
      started: added.map(describeComponent),
      stopped: removed.map(describeComponent),
      kept: nodesOf(to).length - added.length,
    };
  }

  async #goOver(to: Graph, plan: ReloadPlan): Promise<void> {
    const { added, moved, startLate } = plan;
    const receivers = added.filter(({ kind }) => kind === "receiver");
    const others = added.filter(({ kind }) => kind !== "receiver");
    await this.#context.waitForPredecessors(added);
    await this.#context.start(
      others.filter((node) => !startLate.has(node)),
      to,
    );
    await this.#makeRoom(plan);
    await this.#context.start(
      others.filter((node) => startLate.has(node)),
      to,
    );
    for (const { gate, target } of moved) gate.resume(target);
    await this.#context.start(receivers, to);
  }

  /** Stops what is in the way of successors; whoever comes meanwhile waits. */
  async #makeRoom({ moved, removed, retiredPipelines, stopFirst }: ReloadPlan): Promise<void> {
    const { clock } = this.#context.services;
    const isPausing = [...stopFirst].some(({ kind }) => kind !== "receiver");
    const stopping = new Set(stopFirst);
    for (const node of removed) if (isPausing && node.kind === "receiver") stopping.add(node);
    const receivers = [...stopping].filter(({ kind }) => kind === "receiver");
    // Before the pause, since a receiver waits for the requests that it has let in.
    await stopNodes(receivers, this.#context.stopOptions(this.#deadlineMs));
    if (!isPausing) return;
    for (const { gate } of moved) gate.pause();
    const deadlineMs = Math.min(this.#deadlineMs, clock.nowMs() + BLOCKING_STOP_MS);
    const part = {
      graph: this.#from,
      nodes: stopFirst,
      pipelines: retiredPipelines.filter((pipeline) => isTouched(pipeline, stopFirst)),
      counted: { pipelines: [], splits: [], components: [] },
    };
    const { retirements } = this.#context;
    await retire(part, this.#context.stopOptions(deadlineMs), retirements).done;
  }

  #commit(to: Graph, { added, removed, retiredPipelines }: ReloadPlan): void {
    this.#inForce = to;
    this.#involved = [to];
    for (const { status } of added) status.unmute();
    tellReady(extensionsAmong(added));
    const counted = countedIn(this.#from, to);
    const part = {
      graph: this.#from,
      nodes: new Set(removed),
      pipelines: retiredPipelines,
      counted,
    };
    this.#context.retire(part, this.#deadlineMs);
  }

  async #rollBack(to: Graph, plan: ReloadPlan, error: unknown): Promise<ReloadOutcome> {
    const { accounting, services } = this.#context;
    const failure = failureOf(error);
    for (const { gate } of plan.moved) gate.pause();
    const deadlineMs = Math.min(this.#deadlineMs, services.clock.nowMs() + UNWIND_MS);
    const counted = countedIn(to, this.#from);
    const part = {
      graph: to,
      nodes: new Set(plan.added),
      pipelines: [...to.pipelines.values()].filter((pipeline) =>
        counted.pipelines.includes(pipeline),
      ),
      counted,
    };
    await retire(part, this.#context.stopOptions(deadlineMs), this.#context.retirements).done;
    accounting.retire(counted);
    this.#involved = [this.#from];
    let restored: Graph | undefined;
    try {
      restored = this.#context.build(this.#from.checked, this.#from);
      await this.#restore(restored);
    } catch (fatal) {
      if (this.#context.stopping.signal.aborted) return this.#giveUp(plan.moved);
      return this.#fail(failure.reason, fatal, restored ?? this.#from);
    }
    accounting.retire(countedIn(this.#from, restored));
    this.#inForce = restored;
    this.#involved = [restored];
    return { outcome: "rolled_back", ...failure };
  }

  /** Starts what had been stopped of the old configuration, anew. */
  async #restore(restored: Graph): Promise<void> {
    const { added } = planReload(this.#from, restored);
    await this.#context.waitForPredecessors(added);
    this.#involved = [this.#from, restored];
    this.#context.accounting.add(countedIn(restored));
    await this.#context.start(
      added.filter(({ kind }) => kind !== "receiver"),
      restored,
    );
    for (const { gate, target } of routesOf(restored)) gate.resume(target);
    await this.#context.start(
      added.filter(({ kind }) => kind === "receiver"),
      restored,
    );
    tellReady(extensionsAmong(added));
  }

  #fail(reason: string, fatal: unknown, broken: Graph): ReloadOutcome {
    const failure = failureOf(fatal);
    const whole = `${reason}; going back failed too: ${failure.reason}`;
    for (const { gate } of routesOf(broken)) gate.resume(gate.target);
    const { logger } = this.#context.services;
    logger.error("neither the new nor the old configuration can run", { reason: whole });
    const nodes: readonly ComponentNode[] = nodesOf(broken);
    const node = nodes.find((each) => describeComponent(each) === failure.component) ?? nodes[0];
    node?.status.set("fatal_error", whole);
    return { outcome: "failed", component: failure.component, reason: whole };
  }

  /** The process stops: whatever runs is stopped by it, nobody waits any more. */
  #giveUp(moved: readonly Route[]): ReloadOutcome {
    for (const { gate } of moved) gate.resume(gate.target);
    return { outcome: "stopped" };
  }
}

function failureOf(error: unknown): { component: string | undefined; reason: string } {
  return {
    component: error instanceof StartError ? error.component : undefined,
    reason: error instanceof Error ? error.message : String(error),
  };
}
