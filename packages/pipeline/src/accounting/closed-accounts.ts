import type { ComponentAccount, IdentityTerms, PipelineAccount } from "./accounts.js";
import type {
  ComponentName,
  CountedComponent,
  CountedGraph,
  CountedPipeline,
} from "./counted-graph.js";
import { sumOfTerms, termsOfEnd, termsOfPipeline } from "./identity-terms.js";

/** What a processor was offered, and what it offered to its successor, in all pipelines of a signal. */
export interface ProcessorFlow {
  readonly incoming: number;
  readonly outgoing: number;
}

/** A text that is the same for all instances of a component that count together. */
export function nameKey({ id, kind, signal }: ComponentName): string {
  return `${kind} ${id} ${signal ?? ""}`;
}

/** {@link nameKey}, with instances in different pipelines told apart. */
export function instanceKey(component: ComponentName & { pipeline: string | undefined }): string {
  return `${nameKey(component)} ${component.pipeline ?? ""}`;
}

/**
 * The final counts of pipelines and components that reloads have taken away, added up by name: their
 * size depends on how many names there were, not on how many reloads.
 */
export class ClosedAccounts {
  readonly identities = new Map<string, IdentityTerms>();
  readonly pipelines = new Map<string, PipelineAccount>();
  /** By pipeline, which may be a live one: only the fan-outs before it are gone. */
  readonly acceptedButRefused = new Map<string, number>();
  readonly components = new Map<string, ComponentAccount>();
  readonly flows = new Map<string, ProcessorFlow>();

  /** Adds counts that do not change any more. */
  add({ components, pipelines, splits }: CountedGraph): void {
    for (const pipeline of pipelines) this.#addPipeline(pipeline);
    for (const { fanOut, pipelines: ids } of splits) {
      for (const [branch, id] of ids.entries()) {
        const before = this.acceptedButRefused.get(id) ?? 0;
        this.acceptedButRefused.set(id, before + fanOut.deliveredButRefused(branch));
      }
    }
    for (const component of components) this.#addComponent(component);
  }

  #addPipeline(pipeline: CountedPipeline): void {
    const { id } = pipeline;
    this.pipelines.set(id, sumOfPipelines(accountOf(pipeline), this.pipelines.get(id)));
    for (const [index, { component }] of pipeline.ends.entries()) {
      this.#addTerms(component, termsOfPipeline(pipeline, index));
    }
    for (const [index, processor] of pipeline.processors.entries()) {
      const key = nameKey(processor);
      this.flows.set(key, sumOfFlows([flowThrough(pipeline, index), this.flows.get(key)]));
    }
  }

  #addComponent(component: CountedComponent): void {
    const key = instanceKey(component);
    this.components.set(
      key,
      sumOfComponents(componentAccount(component), this.components.get(key)),
    );
    if (isEnd(component)) this.#addTerms(component, termsOfEnd(component.tally));
  }

  #addTerms(end: ComponentName, terms: IdentityTerms): void {
    const key = nameKey(end);
    const before = this.identities.get(key);
    this.identities.set(key, before === undefined ? terms : sumOfTerms([before, terms]));
  }
}

/** Whether a component ends pipelines, and so has an identity of its own. */
export function isEnd({ kind }: ComponentName): boolean {
  return kind === "exporter" || kind === "connector";
}

/** The account of one pipeline, without what only the fan-outs before it know. */
export function accountOf({ entrance, id, signal }: CountedPipeline): PipelineAccount {
  const { accepted, inFlight, offered, refused } = entrance;
  return { pipeline: id, signal, offered, accepted, refused, inFlight, acceptedButRefused: 0 };
}

/** Adds two accounts of pipelines with the same ID. */
export function sumOfPipelines(one: PipelineAccount, other?: PipelineAccount): PipelineAccount {
  if (other === undefined) return one;
  return {
    ...one,
    offered: one.offered + other.offered,
    accepted: one.accepted + other.accepted,
    refused: one.refused + other.refused,
    inFlight: one.inFlight + other.inFlight,
    acceptedButRefused: one.acceptedButRefused + other.acceptedButRefused,
  };
}

/** What one instance keeps or has given up. */
export function componentAccount(component: CountedComponent): ComponentAccount {
  const { id, kind, pipeline, signal, tally } = component;
  const dropped = Object.fromEntries(tally.dropReasons);
  const { heldItems: held, persistedItems: persisted, recoveredItems: recovered } = tally;
  return { kind, id, signal, pipeline, held, dropped, recovered, persisted };
}

/** Adds two accounts of instances of one component. */
export function sumOfComponents(one: ComponentAccount, other?: ComponentAccount): ComponentAccount {
  if (other === undefined) return one;
  const dropped: Record<string, number> = { ...one.dropped };
  for (const [reason, items] of Object.entries(other.dropped)) {
    dropped[reason] = (dropped[reason] ?? 0) + items;
  }
  return {
    ...one,
    dropped,
    held: one.held + other.held,
    recovered: one.recovered + other.recovered,
    persisted: one.persisted + other.persisted,
  };
}

/** What went into one processor of a pipeline and out of it. */
export function flowThrough(pipeline: CountedPipeline, processorIndex: number): ProcessorFlow {
  const { ends, fanOut, processorEdges } = pipeline;
  const outgoing = processorEdges[processorIndex + 1] ?? fanOut ?? ends[0]?.edge;
  return {
    incoming: processorEdges[processorIndex]?.offered ?? 0,
    outgoing: outgoing?.offered ?? 0,
  };
}

/** Adds flows; undefined is none. */
export function sumOfFlows(flows: Iterable<ProcessorFlow | undefined>): ProcessorFlow {
  let incoming = 0;
  let outgoing = 0;
  for (const flow of flows) {
    incoming += flow?.incoming ?? 0;
    outgoing += flow?.outgoing ?? 0;
  }
  return { incoming, outgoing };
}
