import type { Signal } from "@inode-gateway/contract";
import type {
  AccountingSnapshot,
  ComponentAccount,
  IdentityAccount,
  IdentityTerms,
  PipelineAccount,
} from "./accounts.js";
import {
  accountOf,
  ClosedAccounts,
  componentAccount,
  flowThrough,
  instanceKey,
  isEnd,
  nameKey,
  type ProcessorFlow,
  sumOfComponents,
  sumOfFlows,
  sumOfPipelines,
} from "./closed-accounts.js";
import {
  type ComponentName,
  type CountedComponent,
  type CountedGraph,
  type CountedPipeline,
  type CountedSplit,
  isAtRest,
} from "./counted-graph.js";
import { sumOfTerms, termsOfEnd, termsOfPipeline } from "./identity-terms.js";

/**
 * Retired graphs that are kept apart because something that was passed over is still under way in them;
 * of more the oldest is closed as it stands.
 */
export const UNSETTLED_MAX = 16;

/**
 * Reads all counts, over all reloads; nothing is counted here.
 *
 * Live pipelines and components are read where they count; those that a reload has taken away are
 * folded into {@link ClosedAccounts} once they are at rest.
 */
export class Accounting {
  readonly #pipelines = new Set<CountedPipeline>();
  readonly #splits = new Set<CountedSplit>();
  readonly #components = new Set<CountedComponent>();
  readonly #retired: CountedGraph[] = [];
  readonly #closed = new ClosedAccounts();

  /** Takes in what counts from now on; what is known already is left as it is. */
  add({ components, pipelines, splits }: CountedGraph): void {
    for (const pipeline of pipelines) this.#pipelines.add(pipeline);
    for (const split of splits) this.#splits.add(split);
    for (const component of components) this.#components.add(component);
  }

  /** Takes what was stopped out of the live counts, as soon as nothing is under way in it. */
  retire(graph: CountedGraph): void {
    this.#retired.push(graph);
    this.#closeRetired();
  }

  /** How many pipelines and components are read one by one, for tests. */
  get liveCount(): number {
    return this.#pipelines.size + this.#splits.size + this.#components.size;
  }

  snapshot(): AccountingSnapshot {
    this.#closeRetired();
    const pipelines = new Set(this.#closed.pipelines.keys());
    for (const { id } of this.#pipelines) pipelines.add(id);
    const ends = [...this.#components].filter(isEnd);
    for (const { id, kind, signal } of this.#closed.components.values()) {
      const end = { id, kind, signal };
      if (isEnd(end)) ends.push({ ...end, pipeline: undefined } as CountedComponent);
    }
    const unique = new Map(ends.map((end) => [nameKey(end), end]));
    return {
      pipelines: [...pipelines].map((id) => this.pipeline(id)),
      components: this.#componentAccounts(),
      identities: [...unique.values()].map((end) => this.identity(end)),
    };
  }

  /** The counts of the pipeline with this ID, which is or was there. */
  pipeline(id: string): PipelineAccount {
    let account = this.#closed.pipelines.get(id);
    for (const pipeline of this.#pipelines) {
      if (pipeline.id === id) account = sumOfPipelines(accountOf(pipeline), account);
    }
    if (account === undefined) throw new Error(`there never was a pipeline ${JSON.stringify(id)}`);
    let acceptedButRefused = this.#closed.acceptedButRefused.get(id) ?? 0;
    for (const { fanOut, pipelines } of this.#splits) {
      const branch = pipelines.indexOf(id);
      if (branch >= 0) acceptedButRefused += fanOut.deliveredButRefused(branch);
    }
    return { ...account, acceptedButRefused };
  }

  /** The identity of an exporter or connector for one signal. */
  identity(end: ComponentName): IdentityAccount {
    const key = nameKey(end);
    const parts: IdentityTerms[] = [];
    const closed = this.#closed.identities.get(key);
    if (closed !== undefined) parts.push(closed);
    for (const pipeline of this.#pipelines) {
      for (let index = 0; index < pipeline.ends.length; index++) {
        const component = pipeline.ends[index]?.component;
        if (component === undefined || nameKey(component) !== key) continue;
        parts.push(termsOfPipeline(pipeline, index));
      }
    }
    for (const component of this.#components) {
      if (nameKey(component) === key) parts.push(termsOfEnd(component.tally));
    }
    const { id, kind, signal } = end;
    return { kind, id, signal: signal as Signal, ...sumOfTerms(parts) };
  }

  /** The accounts of a component's instances together, in whatever pipelines. */
  component(name: ComponentName): ComponentAccount {
    const key = nameKey(name);
    let account: ComponentAccount | undefined;
    for (const closed of this.#closed.components.values()) {
      if (nameKey(closed) === key) account = sumOfComponents(closed, account);
    }
    for (const live of this.#components) {
      if (nameKey(live) === key) account = sumOfComponents(componentAccount(live), account);
    }
    const { id, kind, signal } = name;
    const none = { held: 0, dropped: {}, recovered: 0, persisted: 0 };
    return account ?? { kind, id, signal, pipeline: undefined, ...none };
  }

  /** What a processor was offered and offered on. */
  flow(processor: ComponentName): ProcessorFlow {
    const key = nameKey(processor);
    const flows = [this.#closed.flows.get(key)];
    for (const pipeline of this.#pipelines) {
      for (const [index, each] of pipeline.processors.entries()) {
        if (nameKey(each) === key) flows.push(flowThrough(pipeline, index));
      }
    }
    return sumOfFlows(flows);
  }

  #componentAccounts(): ComponentAccount[] {
    const accounts = new Map(this.#closed.components);
    for (const component of this.#components) {
      const key = instanceKey(component);
      accounts.set(key, sumOfComponents(componentAccount(component), accounts.get(key)));
    }
    return [...accounts.values()];
  }

  #closeRetired(): void {
    for (const graph of this.#retired.slice()) {
      if (!isAtRest(graph) && this.#retired.length <= UNSETTLED_MAX) continue;
      this.#retired.splice(this.#retired.indexOf(graph), 1);
      this.#closed.add(graph);
      for (const pipeline of graph.pipelines) this.#pipelines.delete(pipeline);
      for (const split of graph.splits) this.#splits.delete(split);
      for (const component of graph.components) this.#components.delete(component);
    }
  }
}
