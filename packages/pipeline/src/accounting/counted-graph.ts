import type { ComponentKind, Signal } from "@inode-gateway/contract";
import type { Edge } from "../flow/edge.js";
import type { FanOut } from "../flow/fan-out.js";
import type { Tally } from "./tally.js";

/** What a component is called; over reloads several instances may have had the same name. */
export interface ComponentName {
  readonly kind: ComponentKind;
  readonly id: string;
  readonly signal: Signal | undefined;
}

/** One component instance, as the accounting sees it. */
export interface CountedComponent extends ComponentName {
  readonly pipeline: string | undefined;
  readonly tally: Tally;
}

/** The edge from one pipeline into one of its ends. */
export interface CountedEnd {
  readonly component: CountedComponent;
  readonly edge: Edge;
}

/** One pipeline, as the accounting sees it; never changed, a changed pipeline is another one. */
export interface CountedPipeline {
  readonly id: string;
  readonly signal: Signal;
  readonly entrance: Edge;
  readonly processors: readonly CountedComponent[];
  /** Edges into the processors, in the order of flow; the first one is the entrance. */
  readonly processorEdges: readonly Edge[];
  readonly ends: readonly CountedEnd[];
  /** The fan-out before the ends, when there is more than one; its branches are `ends`. */
  readonly fanOut: FanOut | undefined;
}

/** A fan-out behind a receiver; its branches are pipelines. */
export interface CountedSplit {
  readonly fanOut: FanOut;
  /** IDs of the pipelines, in the order of the branches. */
  readonly pipelines: readonly string[];
}

/** Everything that counts in one graph, or in the part of it that is retired. */
export interface CountedGraph {
  readonly pipelines: readonly CountedPipeline[];
  readonly splits: readonly CountedSplit[];
  readonly components: readonly CountedComponent[];
}

/** Whether nothing is under way anywhere in it. */
export function isAtRest({ pipelines, splits }: CountedGraph): boolean {
  return (
    pipelines.every(
      ({ ends, entrance, fanOut, processorEdges }) =>
        entrance.inFlight === 0 &&
        (fanOut?.inFlight ?? 0) === 0 &&
        processorEdges.every(({ inFlight }) => inFlight === 0) &&
        ends.every(({ edge }) => edge.inFlight === 0),
    ) && splits.every(({ fanOut }) => fanOut.inFlight === 0)
  );
}
