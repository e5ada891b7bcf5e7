import type { Extension } from "@inode-gateway/contract";
import { type ComponentNode, extensionsOf } from "../graph/component-node.js";
import { type Graph, type GraphPipeline, nodesOf, type Route, routesOf } from "../graph/graph.js";

/** What has to be done to get from one graph to another. */
export interface ReloadPlan {
  /** Instances of the new graph only, in the order of their start; receivers last. */
  readonly added: readonly ComponentNode[];
  /** Instances of the old graph only. */
  readonly removed: readonly ComponentNode[];
  /** Those of `removed` that must have stopped before all of `added` can start. */
  readonly stopFirst: ReadonlySet<ComponentNode>;
  /** Those of `added` that can start only then. */
  readonly startLate: ReadonlySet<ComponentNode>;
  /** Pipelines of the old graph only. */
  readonly retiredPipelines: readonly GraphPipeline[];
  /** The ways whose gates are kept and get another target. */
  readonly moved: readonly Route[];
}

/** Compares two graphs of which the second was built with what could be reused of the first. */
export function planReload(from: Graph, to: Graph): ReloadPlan {
  const before = new Set(nodesOf(from));
  const after = new Set(nodesOf(to));
  const added = nodesOf(to).filter((node) => !before.has(node));
  const removed = nodesOf(from).filter((node) => !after.has(node));
  const stopFirst = withDependents(predecessors(removed, added), from, new Set(removed));
  const kept = new Set([...to.pipelines.values()]);
  const gatesBefore = new Set(routesOf(from).map(({ gate }) => gate));
  return {
    added,
    removed,
    stopFirst,
    startLate: lateStarters(added, stopFirst),
    retiredPipelines: [...from.pipelines.values()].filter((pipeline) => !kept.has(pipeline)),
    moved: routesOf(to).filter(
      ({ gate, target }) => gatesBefore.has(gate) && gate.target !== target,
    ),
  };
}

/** Whether there is nothing to do. */
export function isUnchanged({ added, moved, removed }: ReloadPlan): boolean {
  return added.length === 0 && moved.length === 0 && removed.length === 0;
}

/** Extensions of a list, in its order. */
export function extensionsAmong(
  nodes: readonly ComponentNode[],
): readonly ComponentNode<Extension>[] {
  return nodes.filter((node): node is ComponentNode<Extension> => node.kind === "extension");
}

function isExclusive({ checked: { config, factory }, kind }: ComponentNode): boolean {
  return factory.exclusive?.(config) ?? (kind === "receiver" || kind === "extension");
}

/**
 * Whether two instances may need the same thing: a port or a directory, which may move from one ID of
 * a type to another, or a queue on disk, which belongs to its ID.
 */
export function isInTheWayOf(old: ComponentNode, fresh: ComponentNode): boolean {
  if (old.kind !== fresh.kind || old.checked.factory.type !== fresh.checked.factory.type) {
    return false;
  }
  if (!isExclusive(old) || !isExclusive(fresh)) return false;
  if (old.kind === "receiver" || old.kind === "extension") return true;
  return old.id === fresh.id && old.signal === fresh.signal && old.pipeline === fresh.pipeline;
}

function predecessors(
  removed: readonly ComponentNode[],
  added: readonly ComponentNode[],
): Set<ComponentNode> {
  return new Set(removed.filter((old) => added.some((fresh) => isInTheWayOf(old, fresh))));
}

/** Adds what refers to those that stop, and what feeds them: it has to stop before them. */
function withDependents(
  stopping: Set<ComponentNode>,
  { connections, pipelines }: Graph,
  removed: ReadonlySet<ComponentNode>,
): ReadonlySet<ComponentNode> {
  let size = -1;
  const add = (node: ComponentNode) => removed.has(node) && stopping.add(node);
  while (size !== stopping.size) {
    size = stopping.size;
    const extensions = new Set(extensionsAmong([...stopping]).map(({ id }) => id));
    for (const node of removed) {
      if (extensionsOf(node.checked).some((id) => extensions.has(id))) add(node);
    }
    for (const pipeline of pipelines.values()) {
      if (!isTouched(pipeline, stopping)) continue;
      for (const processor of pipeline.processors) add(processor);
      for (const [connector, behind] of connections) {
        if (behind.includes(pipeline)) add(connector);
      }
    }
  }
  return stopping;
}

/** Whether anything in or behind a pipeline is among `nodes`. */
export function isTouched(
  { ends, processors }: GraphPipeline,
  nodes: ReadonlySet<ComponentNode>,
): boolean {
  return processors.some((node) => nodes.has(node)) || ends.some((end) => nodes.has(end.component));
}

function lateStarters(
  added: readonly ComponentNode[],
  stopFirst: ReadonlySet<ComponentNode>,
): ReadonlySet<ComponentNode> {
  const late = new Set<ComponentNode>();
  const lateExtensions = new Set<string>();
  for (const node of added) {
    const isLate =
      [...stopFirst].some((old) => isInTheWayOf(old, node)) ||
      extensionsOf(node.checked).some((id) => lateExtensions.has(id));
    if (!isLate) continue;
    late.add(node);
    if (node.kind === "extension") lateExtensions.add(node.id);
  }
  return late;
}
