import { isDeepStrictEqual } from "node:util";
import type { Extension, Signal } from "@inode-gateway/contract";
import type { CheckedComponent, CheckedPipeline } from "../check/checked-configuration.js";
import { type ComponentNode, extensionsOf } from "./component-node.js";
import type { EndNode, Graph, GraphPipeline, Route } from "./graph.js";

/**
 * The instances of the graph in force that a new graph may go on with.
 *
 * An instance is what its configuration and everything it was bound to make it: it is kept only when
 * all of that is the same.
 */
export class Reusable {
  readonly #graph: Graph;
  readonly #isRunning: (node: ComponentNode) => boolean;
  readonly #extensions = new Set<string>();

  /** @param isRunning false for instances that were stopped, which nobody can start again */
  constructor(graph: Graph, isRunning: (node: ComponentNode) => boolean) {
    this.#graph = graph;
    this.#isRunning = isRunning;
  }

  get graph(): Graph {
    return this.#graph;
  }

  /** To be asked in the order of start: an extension is the same when those it refers to are. */
  extension(checked: CheckedComponent): ComponentNode<Extension> | undefined {
    const node = this.#graph.extensions.find(({ id }) => id === checked.id);
    if (node === undefined || !this.#isSame(node, checked)) return undefined;
    this.#extensions.add(node.id);
    return node;
  }

  exporter(checked: CheckedComponent, signal: Signal): EndNode | undefined {
    return this.#end("exporter", checked, signal);
  }

  /** @param pipelines those behind it: a connector is bound to them when it is made */
  connector(
    checked: CheckedComponent,
    signal: Signal,
    pipelines: readonly GraphPipeline[],
  ): EndNode | undefined {
    const node = this.#end("connector", checked, signal);
    if (node === undefined) return undefined;
    return isSameList(this.#graph.connections.get(node) ?? [], pipelines) ? node : undefined;
  }

  /**
   * A pipeline is kept as a whole or not at all, so that its counts stay exact.
   *
   * @param ends the new graph's instances, in order
   * @param processors what they are made from now, in order
   */
  pipeline(
    { id, signal }: CheckedPipeline,
    ends: readonly EndNode[],
    processors: readonly CheckedComponent[],
  ): GraphPipeline | undefined {
    const pipeline = this.#graph.pipelines.get(id);
    if (pipeline === undefined || pipeline.signal !== signal) return undefined;
    const oldEnds = pipeline.ends.map(({ component }) => component);
    if (!isSameList(oldEnds, ends)) return undefined;
    if (pipeline.processors.length !== processors.length) return undefined;
    const areSame = processors.every((checked, index) => {
      const node = pipeline.processors[index];
      return node !== undefined && this.#isSame(node, checked);
    });
    return areSame ? pipeline : undefined;
  }

  /** @param signals those that pipelines want of it now: a receiver serves them from its start */
  receiver(checked: CheckedComponent, signals: readonly Signal[]): ComponentNode | undefined {
    const node = this.#graph.startOrder.find(
      ({ id, kind }) => kind === "receiver" && id === checked.id,
    );
    if (node === undefined || !this.#isSame(node, checked)) return undefined;
    const before = [...(this.#graph.routes.get(node.id)?.keys() ?? [])];
    return isSameList(before, signals) ? node : undefined;
  }

  /** A way into the same pipelines, whether its receiver is kept or not. */
  route(receiverId: string, signal: Signal): Route | undefined {
    return this.#graph.routes.get(receiverId)?.get(signal);
  }

  #end(
    kind: "exporter" | "connector",
    checked: CheckedComponent,
    signal: Signal,
  ): EndNode | undefined {
    for (const { ends } of this.#graph.pipelines.values()) {
      for (const { component } of ends) {
        const isIt =
          component.kind === kind && component.id === checked.id && component.signal === signal;
        if (isIt) return this.#isSame(component, checked) ? component : undefined;
      }
    }
    return undefined;
  }

  #isSame(node: ComponentNode, checked: CheckedComponent): boolean {
    return (
      this.#isRunning(node) &&
      node.checked.id === checked.id &&
      node.checked.factory === checked.factory &&
      isDeepStrictEqual(node.checked.section, checked.section) &&
      extensionsOf(checked).every((id) => this.#extensions.has(id))
    );
  }
}

/** Whether two lists hold the very same things in the same order. */
export function isSameList(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((entry, index) => entry === other[index]);
}
