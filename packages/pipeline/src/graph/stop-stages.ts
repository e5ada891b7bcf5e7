import type { CheckedPipeline } from "../check/checked-configuration.js";
import type { ComponentNode } from "./component-node.js";

/**
 * The components of a graph in the order of their stop, with the flow.
 *
 * Within a stage nobody feeds anybody, so that a stage can stop at once.
 */
export interface StopStages {
  readonly receivers: readonly ComponentNode[];
  /** Processors and connectors. */
  readonly between: readonly (readonly ComponentNode[])[];
  readonly exporters: readonly ComponentNode[];
}

/** Puts the components of a graph in the order of their stop. */
export function stopStages(
  pipelines: readonly CheckedPipeline[],
  nodes: readonly ComponentNode[],
): StopStages {
  const entrances = entranceDepths(pipelines);
  const between: ComponentNode[][] = [];
  for (const node of nodes) {
    if (node.kind !== "processor" && node.kind !== "connector") continue;
    const depth = depthOf(node, pipelines, entrances);
    while (between.length <= depth) between.push([]);
    between[depth]?.push(node);
  }
  const ofKind = (wanted: string) => nodes.filter(({ kind }) => kind === wanted);
  return { receivers: ofKind("receiver"), between, exporters: ofKind("exporter") };
}

/** How many components telemetry may have passed, at most, when it comes to a pipeline's entrance. */
function entranceDepths(pipelines: readonly CheckedPipeline[]): ReadonlyMap<string, number> {
  const depths = new Map(pipelines.map(({ id }) => [id, 0]));
  // Without cycles the longest way passes every pipeline at most once.
  for (let round = 0; round < pipelines.length; round++) {
    for (const from of pipelines) {
      const depthBehind = (depths.get(from.id) ?? 0) + from.processors.length + 1;
      for (const to of pipelines) {
        const isFed = to.receivers.some((id) => from.exporters.includes(id));
        if (isFed) depths.set(to.id, Math.max(depths.get(to.id) ?? 0, depthBehind));
      }
    }
  }
  return depths;
}

function depthOf(
  node: ComponentNode,
  pipelines: readonly CheckedPipeline[],
  entrances: ReadonlyMap<string, number>,
): number {
  let depth = 0;
  for (const { exporters, id, processors, signal } of pipelines) {
    const entrance = entrances.get(id) ?? 0;
    if (node.kind === "processor" && node.pipeline === id) {
      depth = entrance + processors.indexOf(node.id);
    } else if (node.kind === "connector" && node.signal === signal && exporters.includes(node.id)) {
      depth = Math.max(depth, entrance + processors.length);
    }
  }
  return depth;
}
