import type { Component, Consumer, Extension, Processor, Signal } from "@inode-gateway/contract";
import type { CountedGraph, CountedPipeline, CountedSplit } from "../accounting/counted-graph.js";
import type { CheckedConfiguration } from "../check/checked-configuration.js";
import type { Edge } from "../flow/edge.js";
import type { Gate } from "../flow/gate.js";
import type { PartialDeliveries } from "../flow/partial-deliveries.js";
import type { ComponentNode } from "./component-node.js";
import type { StopStages } from "./stop-stages.js";

/** A consumer with a life: the end of a pipeline. */
export type EndNode = ComponentNode<Component & Consumer>;

/** One pipeline with its instances. */
export interface GraphPipeline extends CountedPipeline {
  readonly processors: readonly ComponentNode<Processor>[];
  readonly ends: readonly { readonly component: EndNode; readonly edge: Edge }[];
}

/** The way of one signal from a receiver into the pipelines that want it. */
export interface Route {
  /** The receiver's own, kept as long as its instance is. */
  readonly gate: Gate;
  /** Where the gate leads while this graph is in force. */
  readonly target: Consumer;
  readonly pipelines: readonly GraphPipeline[];
  /** The fan-out that `target` is, when there are several pipelines. */
  readonly split: CountedSplit | undefined;
}

/** All component instances of one configuration, connected; some may belong to an earlier graph too. */
export interface Graph {
  readonly checked: CheckedConfiguration;
  /** In the order of their start: whatever one refers to stands before it. */
  readonly extensions: readonly ComponentNode<Extension>[];
  /** Exporters, then processors and connectors against the flow, then receivers. */
  readonly startOrder: readonly ComponentNode[];
  readonly stopStages: StopStages;
  /** By pipeline ID. */
  readonly pipelines: ReadonlyMap<string, GraphPipeline>;
  /** By receiver ID. */
  readonly routes: ReadonlyMap<string, ReadonlyMap<Signal, Route>>;
  /** The pipelines behind each connector. */
  readonly connections: ReadonlyMap<ComponentNode, readonly GraphPipeline[]>;
  /** By the place of the fan-out. */
  readonly partialDeliveries: ReadonlyMap<string, PartialDeliveries>;
}

/** All instances of a graph. */
export function nodesOf({ extensions, startOrder }: Graph): readonly ComponentNode[] {
  return [...extensions, ...startOrder];
}

/** All ways into a graph. */
export function routesOf({ routes }: Graph): readonly Route[] {
  return [...routes.values()].flatMap((bySignal) => [...bySignal.values()]);
}

/** Everything that counts in a graph, but not in those of `without`. */
export function countedIn(graph: Graph, without?: Graph): CountedGraph {
  const known = without === undefined ? undefined : countedIn(without);
  const splits = routesOf(graph).flatMap(({ split }) => split ?? []);
  return {
    pipelines: [...graph.pipelines.values()].filter(
      (pipeline) => !known?.pipelines.includes(pipeline),
    ),
    splits: splits.filter((split) => !known?.splits.includes(split)),
    components: nodesOf(graph).filter((node) => !known?.components.includes(node)),
  };
}
