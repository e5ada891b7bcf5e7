import type { Clock, Logger } from "@inode-gateway/contract";
import type { Graph } from "../graph/build-graph.js";
import { type ComponentNode, describeComponent } from "../graph/component-node.js";
import { settlesWithin } from "./time-limit.js";

/** How much later than its deadline a component may be back before it is passed over. */
export const SHUTDOWN_GRACE_MS = 250;

/** What stopping needs. */
export interface StopOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** On the monotonic clock; one for all components. */
  readonly deadlineMs: number;
  /** The components that were asked to start. */
  readonly started: ReadonlySet<ComponentNode>;
}

/**
 * Stops what was started: readiness off, then components with the flow, then extensions backwards.
 *
 * Every component gets the one deadline. One that is not back {@link SHUTDOWN_GRACE_MS} after it is
 * logged and passed over, and what it holds is counted as dropped with the reason `shutdown`. Never
 * rejects.
 */
export async function stopGraph(graph: Graph, options: StopOptions): Promise<void> {
  const extensions = graph.extensions.filter((node) => options.started.has(node)).reverse();
  for (const { bugs, component } of extensions) {
    try {
      component.notReady?.();
    } catch (error) {
      bugs.report(error, "notReady");
    }
  }
  const stages = [...graph.stopStages, ...extensions.map((extension) => [extension])];
  for (const stage of stages) {
    const running = stage.filter((node) => options.started.has(node));
    await Promise.all(running.map((node) => stopNode(node, options)));
  }
}

async function stopNode(
  node: ComponentNode,
  { clock, deadlineMs, logger }: StopOptions,
): Promise<void> {
  const name = describeComponent(node);
  node.status.set("stopping");
  const limitMs = Math.max(0, deadlineMs - clock.nowMs()) + SHUTDOWN_GRACE_MS;
  try {
    const stopped = (async () => node.component.shutdown(deadlineMs))();
    if (await settlesWithin(stopped, limitMs, clock)) {
      node.status.set("stopped");
      return;
    }
    node.status.set("permanent_error", "did not stop by its deadline");
    logger.error("component did not stop by its deadline and is passed over", {
      component: name,
      dropped_items: node.tally.abandon("shutdown"),
    });
  } catch (error) {
    node.tally.abandon("shutdown");
    node.status.set("permanent_error", error instanceof Error ? error.message : String(error));
    node.bugs.report(error, "shutdown");
  }
}
