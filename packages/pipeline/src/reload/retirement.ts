import type { CountedGraph } from "../accounting/counted-graph.js";
import type { ComponentNode } from "../graph/component-node.js";
import type { Graph, GraphPipeline } from "../graph/graph.js";
import { type StopOptions, stopExtensions, stopNodes, tellNotReady } from "../life/stop-nodes.js";
import { settlesWithin } from "../life/time-limit.js";

/** The part of a graph that a reload has replaced and that drains while its successor works. */
export interface RetiredPart {
  /** The graph it was part of, for the order of its stop. */
  readonly graph: Graph;
  readonly nodes: ReadonlySet<ComponentNode>;
  readonly pipelines: readonly GraphPipeline[];
  readonly counted: CountedGraph;
}

/**
 * How much later than its deadline the flow may have ended: every stage of processors and connectors
 * may be back a little late.
 */
const FLOW_GRACE_MS = 1_000;

/** A retirement under way. */
export interface Retirement {
  /** Resolves when nothing of it feeds an exporter any more. */
  readonly flowed: Promise<void>;
  /** Resolves when all of it has stopped. */
  readonly done: Promise<void>;
}

/**
 * Stops a part of a graph with the flow: what is on its way finishes where it is, what is held goes
 * where it was going, then exporters and extensions stop. Never rejects.
 *
 * @param earlier retirements under way, which may feed the same exporters
 */
export function retire(
  part: RetiredPart,
  options: StopOptions,
  earlier: readonly Retirement[],
): Retirement {
  const flowed = drainFlow(part, options);
  const done = flowed.then(async () => {
    if (earlier.length > 0) await untilFlowed(earlier, options);
    await stopRest(part, options);
  });
  return { flowed, done };
}

async function untilFlowed(earlier: readonly Retirement[], options: StopOptions): Promise<void> {
  const { clock, deadlineMs } = options;
  const all = Promise.all(earlier.map(({ flowed }) => flowed));
  await settlesWithin(all, Math.max(0, deadlineMs - clock.nowMs()) + FLOW_GRACE_MS, clock);
}

/** The first half: receivers, requests on their way, processors and connectors. */
async function drainFlow(
  { graph, nodes, pipelines }: RetiredPart,
  options: StopOptions,
): Promise<void> {
  for (const node of nodes) node.status.mute();
  const { between, receivers } = graph.stopStages;
  tellNotReady(graph.extensions.filter((node) => nodes.has(node) && options.started.has(node)));
  await stopNodes(
    receivers.filter((node) => nodes.has(node)),
    options,
  );
  await untilIdle(pipelines, options);
  for (const stage of between) {
    await stopNodes(
      stage.filter((node) => nodes.has(node)),
      options,
    );
  }
}

async function stopRest({ graph, nodes }: RetiredPart, options: StopOptions): Promise<void> {
  await stopNodes(
    graph.stopStages.exporters.filter((node) => nodes.has(node)),
    options,
  );
  await stopExtensions(
    graph.extensions.filter((node) => nodes.has(node)),
    options,
  );
}

/** Waits until no request is in any of these pipelines, but not beyond the deadline. */
async function untilIdle(
  pipelines: readonly GraphPipeline[],
  { clock, deadlineMs }: StopOptions,
): Promise<void> {
  const idle = Promise.all(pipelines.map(({ entrance }) => entrance.whenIdle()));
  await settlesWithin(idle, Math.max(0, deadlineMs - clock.nowMs()), clock);
}
