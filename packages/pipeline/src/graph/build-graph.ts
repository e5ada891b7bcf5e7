import type {
  Component,
  Consumer,
  Extension,
  Processor,
  ReceiverOutputs,
  Signal,
} from "@inode-gateway/contract";
import { Accounting, type CountedPipeline, type CountedSplit } from "../accounting/accounting.js";
import { observeAccounting } from "../accounting/observe-accounting.js";
import type { CheckedConfiguration, CheckedPipeline } from "../check/checked-configuration.js";
import { connectorOutputs } from "../check/connector-ends.js";
import { Edge } from "../flow/edge.js";
import { FanOut, fanOut } from "../flow/fan-out.js";
import { type ComponentNode, describeComponent } from "./component-node.js";
import { type GraphServices, NodeBuilder } from "./node-builder.js";
import { stopStages } from "./stop-stages.js";

/** A consumer with a life: the end of a pipeline. */
type End = ComponentNode<Component & Consumer>;

/** All component instances of one configuration, connected, none of them started. */
export interface Graph {
  /** In the order of their start: whatever one refers to stands before it. */
  readonly extensions: readonly ComponentNode<Extension>[];
  /** Exporters, then processors and connectors against the flow, then receivers. */
  readonly startOrder: readonly ComponentNode[];
  /** With the flow; the components of one stage do not feed each other and stop at the same time. */
  readonly stopStages: readonly (readonly ComponentNode[])[];
  readonly accounting: Accounting;
  /** Takes the graph's counts off the metrics page. */
  endObserving(): void;
}

/**
 * Makes all component instances of a checked configuration and connects them; starts nothing.
 *
 * One receiver for each ID, one processor for each pipeline that names it, one exporter for each ID
 * and signal, one connector for each ID and signal it takes.
 *
 * @throws Error naming the component whose `create` throws
 */
export function buildGraph(checked: CheckedConfiguration, services: GraphServices): Graph {
  return new GraphBuilder(checked, services).build();
}

class GraphBuilder {
  readonly #checked: CheckedConfiguration;
  readonly #services: GraphServices;
  readonly #nodes: NodeBuilder;
  readonly #ends = new Map<string, End>();
  readonly #entrances = new Map<string, Edge>();
  readonly #pipelines: CountedPipeline[] = [];
  readonly #splits: CountedSplit[] = [];

  constructor(checked: CheckedConfiguration, services: GraphServices) {
    this.#checked = checked;
    this.#services = services;
    this.#nodes = new NodeBuilder(services);
  }

  build(): Graph {
    const extensions = this.#extensions();
    for (const pipeline of this.#checked.pipelines) this.#entranceOf(pipeline);
    for (const id of this.#checked.receivers.keys()) this.#receiver(id);
    const { endObserving, nodes } = this.#nodes;
    const counted = { pipelines: this.#pipelines, splits: this.#splits, components: nodes };
    const accounting = new Accounting(counted);
    endObserving.push(...observeAccounting(this.#services.meter, accounting, counted));
    const ofKinds = (...kinds: string[]) => nodes.filter(({ kind }) => kinds.includes(kind));
    return {
      extensions,
      startOrder: [
        ...ofKinds("exporter"),
        ...ofKinds("processor", "connector"),
        ...ofKinds("receiver"),
      ],
      stopStages: stopStages(this.#checked.pipelines, nodes),
      accounting,
      endObserving: () => {
        for (const end of endObserving.splice(0)) end();
      },
    };
  }

  #extensions(): ComponentNode<Extension>[] {
    return [...this.#checked.extensions.values()].map(({ id, factory, config }) =>
      this.#nodes.build({ kind: "extension", id }, (settings) => factory.create(settings, config)),
    );
  }

  #receiver(id: string): void {
    const { factory, config } = configured(this.#checked.receivers, id);
    const outputs: Partial<Record<Signal, Consumer>> = {};
    for (const signal of factory.signals) {
      const wanting = this.#checked.pipelines.filter(
        (pipeline) => pipeline.signal === signal && pipeline.receivers.includes(id),
      );
      if (wanting.length > 0) outputs[signal] = this.#toPipelines(wanting);
    }
    this.#nodes.build({ kind: "receiver", id }, (settings) =>
      factory.create(settings, config, outputs satisfies ReceiverOutputs),
    );
  }

  #toPipelines(pipelines: readonly CheckedPipeline[]): Consumer {
    const consumer = fanOut(
      pipelines.map((pipeline) => ({
        consumer: this.#entranceOf(pipeline),
        name: `pipeline ${JSON.stringify(pipeline.id)}`,
      })),
      this.#services.clock,
    );
    if (consumer instanceof FanOut) {
      this.#splits.push({ fanOut: consumer, pipelines: pipelines.map(({ id }) => id) });
    }
    return consumer;
  }

  // What stands downstream is built first: an instance gets its consumer when it is made.
  #entranceOf(pipeline: CheckedPipeline): Edge {
    const known = this.#entrances.get(pipeline.id);
    if (known !== undefined) return known;
    const ends = pipeline.exporters.map((id) => {
      const component = this.#end(id, pipeline.signal);
      return { component, edge: new Edge(component.component, component.bugs) };
    });
    const last = fanOut(
      ends.map(({ component, edge }) => ({ consumer: edge, name: describeComponent(component) })),
      this.#services.clock,
    );
    const edges: Edge[] = [];
    const processors: ComponentNode<Processor>[] = [];
    let next = last;
    for (const id of [...pipeline.processors].reverse()) {
      const processor = this.#processor(id, pipeline, next);
      const edge = new Edge(processor.component, processor.bugs);
      processors.unshift(processor);
      edges.unshift(edge);
      next = edge;
    }
    // A pipeline begins with a processor, its only end, or a fan-out, which has no bugs of its own.
    const [firstEnd] = ends;
    if (firstEnd === undefined) throw new Error(`pipeline ${pipeline.id} has no end`);
    const entrance = next instanceof Edge ? next : new Edge(next, firstEnd.component.bugs);
    this.#entrances.set(pipeline.id, entrance);
    this.#pipelines.push({
      id: pipeline.id,
      signal: pipeline.signal,
      entrance,
      processors,
      processorEdges: edges,
      ends,
      fanOut: last instanceof FanOut ? last : undefined,
    });
    return entrance;
  }

  #processor(id: string, pipeline: CheckedPipeline, next: Consumer): ComponentNode<Processor> {
    const { factory, config } = configured(this.#checked.processors, id);
    const { id: pipelineId, signal } = pipeline;
    return this.#nodes.build({ kind: "processor", id, signal, pipeline: pipelineId }, (settings) =>
      factory.create(settings, config, next),
    );
  }

  #end(id: string, signal: Signal): End {
    const key = `${signal}:${id}`;
    const known = this.#ends.get(key);
    if (known !== undefined) return known;
    const end = this.#checked.connectors.has(id)
      ? this.#connector(id, signal)
      : this.#exporter(id, signal);
    this.#ends.set(key, end);
    return end;
  }

  #exporter(id: string, signal: Signal): End {
    const { factory, config } = configured(this.#checked.exporters, id);
    return this.#nodes.build({ kind: "exporter", id, signal }, (settings) =>
      factory.create(settings, config),
    );
  }

  #connector(id: string, signal: Signal): End {
    const { factory, config } = configured(this.#checked.connectors, id);
    const signals = connectorOutputs(factory, signal);
    const outputs = new Map<string, Consumer>();
    for (const pipeline of this.#checked.pipelines) {
      if (!pipeline.receivers.includes(id) || !signals.includes(pipeline.signal)) continue;
      outputs.set(pipeline.id, this.#entranceOf(pipeline));
    }
    return this.#nodes.build({ kind: "connector", id, signal }, (settings) =>
      factory.create(settings, config, outputs),
    );
  }
}

function configured<Checked>(components: ReadonlyMap<string, Checked>, id: string): Checked {
  const component = components.get(id);
  if (component === undefined) throw new Error(`${JSON.stringify(id)} was not checked`);
  return component;
}
