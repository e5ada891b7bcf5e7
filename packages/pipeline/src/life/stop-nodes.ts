import type { Clock, Extension, Logger } from "@inode-gateway/contract";
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
  /** The components that were asked to start; those that are stopped are taken out. */
  readonly started: Set<ComponentNode>;
}

/** Tells extensions that they, or the whole process, begin to stop. */
export function tellNotReady(extensions: readonly ComponentNode<Extension>[]): void {
  for (const { bugs, component } of extensions) {
    try {
      component.notReady?.();
    } catch (error) {
      bugs.report(error, "notReady");
    }
  }
}

/**
 * Stops those of `nodes` that were started, at the same time.
 *
 * One that is not back {@link SHUTDOWN_GRACE_MS} after the deadline is logged and passed over, and what it
 * holds is counted as dropped with the reason `shutdown`. Never rejects.
 */
export async function stopNodes(
  nodes: readonly ComponentNode[],
  options: StopOptions,
): Promise<void> {
  await Promise.all(
    nodes.map(async (node) => {
      if (options.started.delete(node)) await stopNode(node, options);
    }),
  );
}

/** {@link stopNodes}, one after another: each before those that it refers to. */
export async function stopExtensions(
  startOrder: readonly ComponentNode<Extension>[],
  options: StopOptions,
): Promise<void> {
  for (const extension of [...startOrder].reverse()) await stopNodes([extension], options);
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
