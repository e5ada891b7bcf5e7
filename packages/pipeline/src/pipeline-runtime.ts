import type { ComponentStatus, Extension, Host } from "@inode-gateway/contract";
import type { AccountingSnapshot } from "./accounting/accounting.js";
import type { CheckedConfiguration } from "./check/checked-configuration.js";
import { buildGraph, type Graph } from "./graph/build-graph.js";
import type { ComponentNode } from "./graph/component-node.js";
import type { GraphServices } from "./graph/node-builder.js";
import { startGraph } from "./life/start-graph.js";
import { stopGraph } from "./life/stop-graph.js";
import { settlesWithin } from "./life/time-limit.js";

/** Time for what was started to stop again when a start fails. */
const UNWIND_MS = 5_000;

/** What a runtime is made of. */
export interface PipelineRuntimeOptions extends GraphServices {
  readonly checked: CheckedConfiguration;
}

/** The pipelines of one configuration and their life. */
export interface PipelineRuntime {
  /**
   * Starts everything; once only.
   *
   * @throws StartError naming the component that failed; what had been started is stopped again
   */
  start(): Promise<void>;
  /**
   * Stops everything by `deadlineMs` on the monotonic clock, also while `start` is under way. A
   * second call waits for the first. Never rejects.
   */
  shutdown(deadlineMs: number): Promise<void>;
  /** The states of all components that were asked to start. */
  statuses(): readonly ComponentStatus[];
  /** The counts at this moment; to be read after `shutdown` too. */
  accounting(): AccountingSnapshot;
}

/**
 * Builds the graph of a checked configuration; nothing outside memory is touched before `start`.
 *
 * @throws Error when a component's `create` throws
 */
export function createPipelineRuntime(options: PipelineRuntimeOptions): PipelineRuntime {
  return new GraphRuntime(buildGraph(options.checked, options), options);
}

class GraphRuntime implements PipelineRuntime, Host {
  readonly #graph: Graph;
  readonly #services: GraphServices;
  readonly #started = new Set<ComponentNode>();
  readonly #stopping = new AbortController();
  #starting: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(graph: Graph, services: GraphServices) {
    this.#graph = graph;
    this.#services = services;
  }

  start(): Promise<void> {
    if (this.#starting !== undefined || this.#stopped !== undefined) {
      return Promise.reject(new Error("the pipelines were started or stopped before"));
    }
    this.#starting = this.#start();
    return this.#starting;
  }

  shutdown(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#shutdown(deadlineMs);
    return this.#stopped;
  }

  statuses(): readonly ComponentStatus[] {
    return [...this.#graph.extensions, ...this.#graph.startOrder].flatMap(
      ({ status }) => status.status ?? [],
    );
  }

  accounting(): AccountingSnapshot {
    return this.#graph.accounting.snapshot();
  }

  extension(id: string): Extension | undefined {
    return this.#graph.extensions.find((extension) => extension.id === id)?.component;
  }

  componentStatuses(): readonly ComponentStatus[] {
    return this.statuses();
  }

  async #start(): Promise<void> {
    try {
      await startGraph(this.#graph, {
        host: this,
        clock: this.#services.clock,
        signal: this.#stopping.signal,
        onStarting: (node) => this.#started.add(node),
      });
    } catch (error) {
      // While stopping, `shutdown` waits for this promise and then stops what was started itself.
      if (!this.#stopping.signal.aborted) {
        await this.#stop(this.#services.clock.nowMs() + UNWIND_MS);
        this.#stopped = Promise.resolve();
      }
      throw error;
    }
  }

  async #shutdown(deadlineMs: number): Promise<void> {
    const { clock } = this.#services;
    this.#stopping.abort();
    const starting = this.#starting?.catch(() => undefined) ?? Promise.resolve();
    await settlesWithin(starting, Math.max(0, deadlineMs - clock.nowMs()), clock);
    await this.#stop(deadlineMs);
  }

  async #stop(deadlineMs: number): Promise<void> {
    const { clock, logger } = this.#services;
    await stopGraph(this.#graph, { clock, logger, deadlineMs, started: this.#started });
    this.#started.clear();
    this.#graph.endObserving();
  }
}
