import type { Consumer, Extension, Processor, Signal } from "@inode-gateway/contract";
import type { CheckedConfiguration, CheckedPipeline } from "../check/checked-configuration.js";
import { connectorOutputs } from "../check/connector-ends.js";
import { ConnectorDeliveries } from "../flow/connector-deliveries.js";
import { Edge } from "../flow/edge.js";
import { type Branch, FanOut, fanOut } from "../flow/fan-out.js";
import { Gate } from "../flow/gate.js";
import { PartialDeliveries } from "../flow/partial-deliveries.js";
import { traced } from "../flow/traced-consumer.js";
import { type ComponentNode, describeComponent } from "./component-node.js";
import type { EndNode, Graph, GraphPipeline, Route } from "./graph.js";
import type { GraphServices, NodeBuilder } from "./node-builder.js";
import { isSameList, type Reusable } from "./reusable.js";
import { stopStages } from "./stop-stages.js";

/** What a graph is built with. */
export interface BuildOptions {
  readonly services: GraphServices;
  readonly nodes: NodeBuilder;
  /** What may be taken over from the graph in force. */
  readonly reusable?: Reusable | undefined;
}

/**
 * Makes all component instances of a checked configuration and connects them; starts nothing.
 *
 * One receiver for each ID, one processor for each pipeline that names it, one exporter for each ID
 * and signal, one connector for each ID and signal it takes. What `reusable` has is taken over; the gates
 * of receivers that are taken over still lead where they did: see {@link Route}.
 *
 * @throws StartError naming the component whose `create` throws
 */
export function buildGraph(checked: CheckedConfiguration, options: BuildOptions): Graph {
  return new GraphBuilder(checked, options).build();
}

class GraphBuilder {
  readonly #checked: CheckedConfiguration;
  readonly #services: GraphServices;
  readonly #builder: NodeBuilder;
  readonly #reusable: Reusable | undefined;
  /** Downstream first, as they were made or taken over. */
  readonly #nodes: ComponentNode[] = [];
  readonly #ends = new Map<string, EndNode>();
  readonly #pipelines = new Map<string, GraphPipeline>();
  readonly #routes = new Map<string, ReadonlyMap<Signal, Route>>();
  readonly #connections = new Map<ComponentNode, readonly GraphPipeline[]>();
  readonly #partialDeliveries = new Map<string, PartialDeliveries>();

  constructor(checked: CheckedConfiguration, { nodes, reusable, services }: BuildOptions) {
    this.#checked = checked;
    this.#services = services;
    this.#builder = nodes;
    this.#reusable = reusable;
  }

  build(): Graph {
    const extensions = this.#extensions();
    for (const pipeline of this.#checked.pipelines) this.#pipeline(pipeline);
    for (const id of this.#checked.receivers.keys()) this.#receiver(id);
    const ofKinds = (...kinds: string[]) => this.#nodes.filter(({ kind }) => kinds.includes(kind));
    return {
      checked: this.#checked,
      extensions,
      startOrder: [
        ...ofKinds("exporter"),
        ...ofKinds("processor", "connector"),
        ...ofKinds("receiver"),
      ],
      stopStages: stopStages(this.#checked.pipelines, this.#nodes),
      // In the order of the configuration, not in that of building.
      pipelines: new Map(
        this.#checked.pipelines.map((pipeline) => [pipeline.id, this.#pipeline(pipeline)]),
      ),
      routes: this.#routes,
      connections: this.#connections,
      partialDeliveries: this.#partialDeliveries,
    };
  }

  #extensions(): ComponentNode<Extension>[] {
    return [...this.#checked.extensions.values()].map((checked) => {
      const { config, factory, id } = checked;
      return (
        this.#reusable?.extension(checked) ??
        this.#builder.build({ kind: "extension", id }, checked, (settings) =>
          factory.create(settings, config),
        )
      );
    });
  }

  #receiver(id: string): void {
    const checked = configured(this.#checked.receivers, id);
    const { config, factory } = checked;
    const wanted = new Map<Signal, GraphPipeline[]>();
    for (const signal of factory.signals) {
      const wanting = this.#checked.pipelines.filter(
        (pipeline) => pipeline.signal === signal && pipeline.receivers.includes(id),
      );
      if (wanting.length > 0)
        wanted.set(
          signal,
          wanting.map((each) => this.#pipeline(each)),
        );
    }
    const kept = this.#reusable?.receiver(checked, [...wanted.keys()]);
    const routes = new Map<Signal, Route>();
    for (const [signal, pipelines] of wanted) {
      routes.set(signal, this.#route(id, signal, pipelines, kept !== undefined));
    }
    this.#routes.set(id, routes);
    if (kept !== undefined) {
      this.#nodes.push(kept);
      return;
    }
    const { tracer } = this.#services;
    const outputs = Object.fromEntries(
      [...routes].map(([signal, { gate }]) => [signal, traced(gate, id, tracer)]),
    );
    this.#nodes.push(
      this.#builder.build({ kind: "receiver", id }, checked, (settings) =>
        factory.create(settings, config, outputs),
      ),
    );
  }

  #route(
    receiverId: string,
    signal: Signal,
    pipelines: readonly GraphPipeline[],
    isKept: boolean,
  ): Route {
    const before = this.#reusable?.route(receiverId, signal);
    const place = `receiver ${receiverId} ${signal}`;
    const partial = this.#partial(place);
    if (before !== undefined && isSameList(before.pipelines, pipelines)) {
      const { clock } = this.#services;
      return isKept ? before : { ...before, gate: new Gate(before.target, clock) };
    }
    const branches = pipelines.map(({ entrance, id }) => ({
      consumer: entrance,
      name: `pipeline ${JSON.stringify(id)}`,
    }));
    const target = fanOut(branches, partial);
    const ids = pipelines.map(({ id }) => id);
    const split = target instanceof FanOut ? { fanOut: target, pipelines: ids } : undefined;
    const gate =
      isKept && before !== undefined ? before.gate : new Gate(target, this.#services.clock);
    return { gate, target, pipelines, split };
  }

  // What stands downstream is built first: an instance gets its consumer when it is made.
  #pipeline(checked: CheckedPipeline): GraphPipeline {
    const known = this.#pipelines.get(checked.id);
    if (known !== undefined) return known;
    const ends = checked.exporters.map((id) => this.#end(id, checked.signal));
    const processors = checked.processors.map((id) => configured(this.#checked.processors, id));
    const partial = this.#partial(`pipeline ${checked.id}`);
    let pipeline = this.#reusable?.pipeline(checked, ends, processors);
    if (pipeline === undefined) pipeline = this.#newPipeline(checked, ends, partial);
    else this.#nodes.push(...[...pipeline.processors].reverse());
    this.#pipelines.set(checked.id, pipeline);
    return pipeline;
  }

  #newPipeline(
    checked: CheckedPipeline,
    endNodes: readonly EndNode[],
    partial: PartialDeliveries,
  ): GraphPipeline {
    const ends = endNodes.map((component) => ({
      component,
      edge: new Edge(component.component, component.bugs),
    }));
    const branches = ends.map(
      ({ component, edge }): Branch => ({ consumer: edge, name: describeComponent(component) }),
    );
    const last = fanOut(branches, partial);
    const edges: Edge[] = [];
    const processors: ComponentNode<Processor>[] = [];
    let next = last;
    for (const id of [...checked.processors].reverse()) {
      const processor = this.#processor(id, checked, next);
      const edge = new Edge(processor.component, processor.bugs);
      processors.unshift(processor);
      edges.unshift(edge);
      next = edge;
    }
    // A pipeline begins with a processor, its only end, or a fan-out, which has no bugs of its own.
    const [firstEnd] = ends;
    if (firstEnd === undefined) throw new Error(`pipeline ${checked.id} has no end`);
    return {
      id: checked.id,
      signal: checked.signal,
      entrance: next instanceof Edge ? next : new Edge(next, firstEnd.component.bugs),
      processors,
      processorEdges: edges,
      ends,
      fanOut: last instanceof FanOut ? last : undefined,
    };
  }

  #processor(id: string, pipeline: CheckedPipeline, next: Consumer): ComponentNode<Processor> {
    const checked = configured(this.#checked.processors, id);
    const identity = {
      kind: "processor",
      id,
      signal: pipeline.signal,
      pipeline: pipeline.id,
    } as const;
    const node = this.#builder.build(identity, checked, (settings) =>
      checked.factory.create(settings, checked.config, next),
    );
    this.#nodes.push(node);
    return node;
  }

  #end(id: string, signal: Signal): EndNode {
    const key = `${signal}:${id}`;
    const known = this.#ends.get(key);
    if (known !== undefined) return known;
    const end = this.#checked.connectors.has(id)
      ? this.#connector(id, signal)
      : this.#exporter(id, signal);
    this.#nodes.push(end);
    this.#ends.set(key, end);
    return end;
  }

  #exporter(id: string, signal: Signal): EndNode {
    const checked = configured(this.#checked.exporters, id);
    return (
      this.#reusable?.exporter(checked, signal) ??
      this.#builder.build({ kind: "exporter", id, signal }, checked, (settings) =>
        checked.factory.create(settings, checked.config),
      )
    );
  }

  #connector(id: string, signal: Signal): EndNode {
    const checked = configured(this.#checked.connectors, id);
    const signals = connectorOutputs(checked.factory, signal);
    const pipelines = this.#checked.pipelines
      .filter(({ receivers, signal: out }) => receivers.includes(id) && signals.includes(out))
      .map((pipeline) => this.#pipeline(pipeline));
    const deliveries = new ConnectorDeliveries(this.#partial(`connector ${id} ${signal}`));
    const entrances = new Map(pipelines.map(({ entrance, id: pipeline }) => [pipeline, entrance]));
    const outputs = deliveries.outputs(entrances);
    const node =
      this.#reusable?.connector(checked, signal, pipelines) ??
      this.#builder.build({ kind: "connector", id, signal }, checked, (settings) =>
        deliveries.remembering(checked.factory.create(settings, checked.config, outputs)),
      );
    this.#connections.set(node, pipelines);
    return node;
  }

  #partial(place: string): PartialDeliveries {
    const partial =
      this.#reusable?.graph.partialDeliveries.get(place) ??
      new PartialDeliveries(this.#services.clock);
    this.#partialDeliveries.set(place, partial);
    return partial;
  }
}

function configured<Checked>(components: ReadonlyMap<string, Checked>, id: string): Checked {
  const component = components.get(id);
  if (component === undefined) throw new Error(`${JSON.stringify(id)} was not checked`);
  return component;
}
