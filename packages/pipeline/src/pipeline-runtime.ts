import { setImmediate } from "node:timers/promises";
import type { ComponentStatus } from "@inode-gateway/contract";
import { Accounting } from "./accounting/accounting.js";
import type { AccountingSnapshot } from "./accounting/accounts.js";
import { AccountingMetrics } from "./accounting/observe-accounting.js";
import { pipelineOverviews } from "./accounting/pipeline-overviews.js";
import type { CheckedConfiguration } from "./check/checked-configuration.js";
import { countedIn, type Graph, nodesOf } from "./graph/graph.js";
import { type GraphServices, NodeBuilder } from "./graph/node-builder.js";
import { tellReady } from "./life/start-nodes.js";
import { stopExtensions, stopNodes, tellNotReady } from "./life/stop-nodes.js";
import { settlesWithin } from "./life/time-limit.js";
import { GraphReload } from "./reload/graph-reload.js";
import { ReloadContext } from "./reload/reload-context.js";
import type { ReloadOutcome } from "./reload/reload-outcome.js";

/** Time for what was started to stop again when a start fails. */
const UNWIND_MS = 5_000;

/** What a runtime is made of. */
export interface PipelineRuntimeOptions extends GraphServices {
  readonly checked: CheckedConfiguration;
}

/** The pipelines of the configuration in force and their life. */
export interface PipelineRuntime {
  /**
   * Starts everything; once only.
   *
   * @throws StartError naming the component that failed; what had been started is stopped again
   */
  start(): Promise<void>;
  /**
   * Goes over to another configuration while telemetry flows. Never rejects.
   *
   * Components that are the same go on, with their connections and queues; others are replaced, and
   * those that are gone drain until `deadlineMs` on the monotonic clock after this has resolved. When
   * anything fails, the old configuration goes on. One reload runs at a time; of those that wait only the
   * latest is carried out.
   */
  reload(checked: CheckedConfiguration, deadlineMs: number): Promise<ReloadOutcome>;
  /**
   * Stops everything by `deadlineMs` on the monotonic clock, also while `start` or `reload` is under way.
   * A second call waits for the first. Never rejects.
   */
  shutdown(deadlineMs: number): Promise<void>;
  /** The states of all components in force that were asked to start. */
  statuses(): readonly ComponentStatus[];
  /** The counts at this moment, over all reloads; to be read after `shutdown` too. */
  accounting(): AccountingSnapshot;
}

/**
 * Builds the graph of a checked configuration; nothing outside memory is touched before `start`.
 *
 * @throws StartError when a component's `create` throws
 */
export function createPipelineRuntime(options: PipelineRuntimeOptions): PipelineRuntime {
  return new GraphRuntime(options.checked, options);
}

interface WaitingReload {
  readonly checked: CheckedConfiguration;
  readonly deadlineMs: number;
  readonly answer: (outcome: ReloadOutcome) => void;
}

class GraphRuntime implements PipelineRuntime {
  readonly #context: ReloadContext;
  #graph: Graph;
  #starting: Promise<void> | undefined;
  #isStarted = false;
  /** The last one. */
  #reload: GraphReload | undefined;
  #isReloading = false;
  #reloading: Promise<void> = Promise.resolve();
  #waiting: WaitingReload | undefined;
  #stopped: Promise<void> | undefined;

  constructor(checked: CheckedConfiguration, services: GraphServices) {
    const accounting = new Accounting();
    const metrics = new AccountingMetrics(services.meter, accounting);
    const nodes = new NodeBuilder(services, metrics);
    const present = {
      statuses: () => this.statuses(),
      overviews: () => pipelineOverviews(this.#graph, accounting),
    };
    this.#context = new ReloadContext(services, { accounting, metrics, nodes, present });
    this.#graph = this.#context.build(checked);
    accounting.add(countedIn(this.#graph));
  }

  start(): Promise<void> {
    if (this.#starting !== undefined || this.#stopped !== undefined) {
      return Promise.reject(new Error("the pipelines were started or stopped before"));
    }
    this.#starting = this.#start();
    return this.#starting;
  }

  reload(checked: CheckedConfiguration, deadlineMs: number): Promise<ReloadOutcome> {
    if (!this.#isStarted || this.#stopped !== undefined) {
      return Promise.resolve({ outcome: "stopped" });
    }
    return new Promise((answer) => {
      this.#waiting?.answer({ outcome: "superseded" });
      this.#waiting = { checked, deadlineMs, answer };
      if (this.#isReloading) return;
      this.#isReloading = true;
      this.#reloading = this.#reloadWaiting();
    });
  }

  shutdown(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#shutdown(deadlineMs);
    return this.#stopped;
  }

  statuses(): readonly ComponentStatus[] {
    return nodesOf(this.#graph).flatMap(({ status }) => status.status ?? []);
  }

  accounting(): AccountingSnapshot {
    return this.#context.accounting.snapshot();
  }

  async #start(): Promise<void> {
    const { services, stopping } = this.#context;
    try {
      await this.#context.start(nodesOf(this.#graph), this.#graph);
      tellReady(this.#graph.extensions);
      this.#isStarted = true;
    } catch (error) {
      // While stopping, `shutdown` waits for this promise and then stops what was started itself.
      if (!stopping.signal.aborted) {
        await this.#stop(services.clock.nowMs() + UNWIND_MS);
        this.#stopped = Promise.resolve();
      }
      throw error;
    }
  }

  async #reloadWaiting(): Promise<void> {
    while (this.#waiting !== undefined) {
      await this.#context.roomForRetirement();
      const { answer, checked, deadlineMs } = this.#waiting;
      this.#waiting = undefined;
      if (this.#context.stopping.signal.aborted) {
        answer({ outcome: "stopped" });
        continue;
      }
      this.#reload = new GraphReload(this.#context, this.#graph, deadlineMs);
      const outcome = await this.#reload.run(checked);
      this.#graph = this.#reload.inForce;
      answer(outcome);
    }
    this.#isReloading = false;
  }

  async #shutdown(deadlineMs: number): Promise<void> {
    const { services, stopping } = this.#context;
    stopping.abort();
    const starting = this.#starting?.catch(() => undefined) ?? Promise.resolve();
    const settled = Promise.all([starting, this.#reloading]);
    const limitMs = Math.max(0, deadlineMs - services.clock.nowMs());
    await settlesWithin(settled, limitMs, services.clock);
    await this.#stop(deadlineMs);
  }

  /** Readiness off, then components with the flow, then extensions backwards. */
  async #stop(deadlineMs: number): Promise<void> {
    const context = this.#context;
    const options = context.stopOptions(deadlineMs);
    // More than one only when a reload was cut short.
    const graphs = this.#reload?.involved ?? [this.#graph];
    const extensions = [...new Set(graphs.flatMap((graph) => graph.extensions))];
    tellNotReady(extensions.filter((node) => context.started.has(node)).reverse());
    const stages = graphs.map((graph) => graph.stopStages);
    await stopNodes(
      stages.flatMap(({ receivers }) => receivers),
      options,
    );
    const depth = Math.max(...stages.map(({ between }) => between.length));
    for (let index = 0; index < depth; index++) {
      await stopNodes(
        stages.flatMap(({ between }) => between[index] ?? []),
        options,
      );
    }
    await context.retirementsFlowed(deadlineMs);
    await stopNodes(
      stages.flatMap(({ exporters }) => exporters),
      options,
    );
    await context.retirementsDone(deadlineMs);
    // What a deadline has just cut off is still on its way back to who counts it.
    await setImmediate();
    await stopExtensions(extensions, options);
    context.endObserving();
  }
}
