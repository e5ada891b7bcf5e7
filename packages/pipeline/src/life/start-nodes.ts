import { formatDuration } from "@inode-gateway/config";
import type { Clock, Extension, Host } from "@inode-gateway/contract";
import { type ComponentNode, describeComponent } from "../graph/component-node.js";
import { StartError } from "./start-error.js";
import { settlesWithin } from "./time-limit.js";

/**
 * How long one component may take to start: longer than any connection takes to fail, and short enough
 * that an orchestrator's own patience is not used up in silence.
 */
export const START_TIMEOUT_MS = 60_000;

/** What starting needs. */
export interface StartOptions {
  readonly host: Host;
  readonly clock: Clock;
  /** Ends the start between and within components. */
  readonly signal: AbortSignal;
  /** Called before a component is asked to start: from then on it must be shut down. */
  readonly onStarting: (node: ComponentNode) => void;
}

/**
 * Starts components one after another, in the order given.
 *
 * @throws StartError naming the component that rejected or took longer than {@link START_TIMEOUT_MS}, or
 *   that was under way when `signal` was aborted; what was started stays so
 */
export async function startNodes(
  nodes: readonly ComponentNode[],
  options: StartOptions,
): Promise<void> {
  for (const node of nodes) await startNode(node, options);
}

/** Tells extensions that every pipeline is running. */
export function tellReady(extensions: readonly ComponentNode<Extension>[]): void {
  for (const { bugs, component } of extensions) {
    try {
      component.ready?.();
    } catch (error) {
      bugs.report(error, "ready");
    }
  }
}

async function startNode(
  node: ComponentNode,
  { clock, host, onStarting, signal }: StartOptions,
): Promise<void> {
  const name = describeComponent(node);
  if (signal.aborted) throw new StartError(`stopped before ${name} was started`, name);
  onStarting(node);
  node.status.set("starting");
  let isInTime: boolean;
  try {
    const started = (async () => node.component.start(host))();
    isInTime = await settlesWithin(orAborted(started, signal), START_TIMEOUT_MS, clock);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    node.status.set("permanent_error", reason);
    throw new StartError(`cannot start ${name}: ${reason}`, name, { cause: error });
  }
  if (!isInTime) {
    const reason = `did not start within ${formatDuration(START_TIMEOUT_MS)}`;
    node.status.set("permanent_error", reason);
    throw new StartError(`${name} ${reason}`, name);
  }
  if (signal.aborted) throw new StartError(`stopped while ${name} was starting`, name);
  const { status } = node.status;
  if (status?.state === "fatal_error") {
    throw new StartError(`cannot start ${name}: ${status.reason ?? "it cannot go on"}`, name);
  }
  // A component may have said already that it works without its destination.
  if (status?.state === "starting") node.status.set("ok");
}

/** Settles as `started` does, or resolves as soon as the signal is aborted. */
export function orAborted(started: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve();
    signal.addEventListener("abort", onAbort, { once: true });
    started.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
