import type { ComponentKind, Signal } from "@inode-gateway/contract";
import type { Edge } from "../flow/edge.js";
import type { FanOut } from "../flow/fan-out.js";
import type { Tally } from "./tally.js";

/** One component instance, as the accounting sees it. */
export interface CountedComponent {
  readonly kind: ComponentKind;
  readonly id: string;
  readonly signal: Signal | undefined;
  readonly pipeline: string | undefined;
  readonly tally: Tally;
}

/** The edge from one pipeline into one of its ends. */
export interface CountedEnd {
  readonly component: CountedComponent;
  readonly edge: Edge;
}

/** One pipeline, as the accounting sees it. */
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

/** Everything that counts in one graph. */
export interface CountedGraph {
  readonly pipelines: readonly CountedPipeline[];
  readonly splits: readonly CountedSplit[];
  readonly components: readonly CountedComponent[];
}

/** Items at the entrance of one pipeline: offered = accepted + refused + inFlight. */
export interface PipelineAccount {
  readonly pipeline: string;
  readonly signal: Signal;
  readonly offered: number;
  readonly accepted: number;
  readonly refused: number;
  readonly inFlight: number;
  /** Part of `accepted` whose sender was refused, because another pipeline of the receiver refused. */
  readonly acceptedButRefused: number;
}

/** Items that one component instance keeps or has given up. */
export interface ComponentAccount {
  readonly kind: ComponentKind;
  readonly id: string;
  readonly signal: Signal | undefined;
  readonly pipeline: string | undefined;
  readonly held: number;
  /** By reason. */
  readonly dropped: Readonly<Record<string, number>>;
}

/**
 * The accounting identity of one exporter (or connector) and one signal, over all its pipelines:
 *
 * accepted + deliveredButRefused + deliveredEarly = delivered + dropped + held + inFlight + unaccounted
 */
export interface IdentityAccount {
  readonly kind: ComponentKind;
  readonly id: string;
  readonly signal: Signal;
  /** Taken in by its pipelines: acknowledged to the sender, or not answered yet. */
  readonly accepted: number;
  /** Taken here while another end of the same pipeline refused: the sender sends them again. */
  readonly deliveredButRefused: number;
  /** Taken here while another end has not answered and a processor still counts them as held. */
  readonly deliveredEarly: number;
  /** Taken here, not held and not dropped. */
  readonly delivered: number;
  /** Here and in the processors on the way. */
  readonly dropped: number;
  /** Here and in the processors on the way. */
  readonly held: number;
  readonly inFlight: number;
  /** What batches under way cannot explain; anything but 0 is a bug of some component. */
  readonly unaccounted: number;
}

/** All counts of a graph at one moment. */
export interface AccountingSnapshot {
  readonly pipelines: readonly PipelineAccount[];
  readonly components: readonly ComponentAccount[];
  readonly identities: readonly IdentityAccount[];
}

/** Reads the counts of a graph; nothing is counted here. */
export class Accounting {
  readonly #graph: CountedGraph;

  constructor(graph: CountedGraph) {
    this.#graph = graph;
  }

  /** Every end of a pipeline once, in the order of the components. */
  get ends(): readonly CountedComponent[] {
    const { components, pipelines } = this.#graph;
    const ends = new Set(
      pipelines.flatMap((pipeline) => pipeline.ends.map((end) => end.component)),
    );
    return components.filter((component) => ends.has(component));
  }

  /** Items of one pipeline that were accepted while their sender was refused. */
  acceptedButRefused(pipeline: string): number {
    let items = 0;
    for (const { fanOut, pipelines } of this.#graph.splits) {
      const branch = pipelines.indexOf(pipeline);
      if (branch >= 0) items += fanOut.deliveredButRefused(branch);
    }
    return items;
  }

  snapshot(): AccountingSnapshot {
    return {
      pipelines: this.#graph.pipelines.map(({ entrance, id, signal }) => {
        const { accepted, inFlight, offered, refused } = entrance;
        const acceptedButRefused = this.acceptedButRefused(id);
        return { pipeline: id, signal, offered, accepted, refused, inFlight, acceptedButRefused };
      }),
      components: this.#graph.components.map(componentAccount),
      identities: this.ends.map((end) => this.identity(end)),
    };
  }

  /** The identity of one of {@link ends}. */
  identity(end: CountedComponent): IdentityAccount {
    const sum = { accepted: 0, consumed: 0, deliveredButRefused: 0, deliveredEarly: 0 };
    const rest = { dropped: 0, held: 0, inFlight: 0, unaccounted: 0 };
    let signal: Signal = "traces";
    for (const pipeline of this.#graph.pipelines) {
      const index = pipeline.ends.findIndex(({ component }) => component === end);
      if (index < 0) continue;
      signal = pipeline.signal;
      const part = pipelinePart(pipeline, index);
      sum.accepted += part.accepted;
      sum.consumed += part.consumed;
      sum.deliveredButRefused += part.deliveredButRefused;
      sum.deliveredEarly += part.deliveredEarly;
      rest.dropped += part.dropped;
      rest.held += part.held;
      rest.inFlight += part.inFlight;
      rest.unaccounted += part.unaccounted;
    }
    const { heldItems, droppedItems } = end.tally;
    return {
      kind: end.kind,
      id: end.id,
      signal,
      accepted: sum.accepted,
      deliveredButRefused: sum.deliveredButRefused,
      deliveredEarly: sum.deliveredEarly,
      delivered: sum.consumed - heldItems - droppedItems,
      dropped: rest.dropped + droppedItems,
      held: rest.held + heldItems,
      inFlight: rest.inFlight,
      unaccounted: rest.unaccounted,
    };
  }
}

/**
 * What one pipeline adds to the identity of one of its ends.
 *
 * What was taken in and is neither consumed, dropped nor held must be under way, and what is under way is
 * counted at every edge: it bounds the difference from both sides. At rest nothing is under way and
 * the difference must be 0.
 */
function pipelinePart(pipeline: CountedPipeline, index: number) {
  const { entrance, fanOut, processorEdges, processors } = pipeline;
  const edge = pipeline.ends[index]?.edge ?? entrance;
  let dropped = 0;
  let held = 0;
  for (const { tally } of processors) {
    dropped += tally.droppedItems;
    held += tally.heldItems;
  }
  // Batches before and behind a processor that holds are under way on different edges.
  let underWay = edge.inFlight + (fanOut?.inFlight ?? 0);
  for (const { inFlight } of new Set([entrance, ...processorEdges])) underWay += inFlight;
  const accepted = entrance.offered - entrance.refused;
  const deliveredButRefused = fanOut?.deliveredButRefused(index) ?? 0;
  const difference = accepted + deliveredButRefused - edge.accepted - dropped - held;
  const explained = Math.min(Math.max(difference, -underWay), underWay);
  return {
    accepted,
    consumed: edge.accepted,
    deliveredButRefused,
    deliveredEarly: Math.max(0, -explained),
    dropped,
    held,
    inFlight: Math.max(0, explained),
    unaccounted: difference - explained,
  };
}

function componentAccount(component: CountedComponent): ComponentAccount {
  const { id, kind, pipeline, signal, tally } = component;
  const dropped = Object.fromEntries(tally.dropReasons);
  return { kind, id, signal, pipeline, held: tally.heldItems, dropped };
}
