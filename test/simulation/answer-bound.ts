import type { GatewayPlan } from "./plan-gateway.js";
import { DISK_TIMEOUT_MS } from "./simulated-disk.js";

/** Longest `hold.timeout` of a resolver that a plan draws, or that is its default. */
const HOLD_MS_MAX = 500;
/** How long a registry may take to say that it is away, before and after a hold. */
const LOOKUP_MS_MAX = 1_200;
/** How long `block_on_overflow` lets a sender wait that named no deadline. */
const BLOCK_MS = 60_000;
/** How long a reload may let a request wait while it stops and starts exporters. */
const PAUSE_MS = 5_000;
/** What is left for the events in between. */
const SLACK_MS = 200;

/**
 * How long a request may wait for its answer, whatever it is.
 *
 * A sender that waits for a delivery, and names no deadline, waits as long as retries go on, which may
 * be for ever: that is what `max_elapsed_time: 0s` says.
 *
 * @param plans the configurations that may be in force meanwhile
 * @param timeoutMs how long the sender itself waits
 */
export function answerBoundMs(plans: readonly GatewayPlan[], timeoutMs: number): number {
  const ownMs = HOLD_MS_MAX + LOOKUP_MS_MAX + DISK_TIMEOUT_MS + PAUSE_MS + SLACK_MS;
  if (Number.isFinite(timeoutMs)) return timeoutMs + ownMs;
  const queues = plans.flatMap(({ exporters }) => {
    return Object.values(exporters).map((section) => section["sending_queue"] as Queue);
  });
  const isDelivered = queues.some((queue) => queue.enabled === false || queue.wait_for_result);
  const isBatched = plans.every(({ processors }) => "batch" in processors);
  if (isDelivered && !isBatched) return Number.POSITIVE_INFINITY;
  return ownMs + (queues.some((queue) => queue.block_on_overflow) ? BLOCK_MS : 0);
}

interface Queue {
  readonly enabled?: boolean;
  readonly wait_for_result?: boolean;
  readonly block_on_overflow?: boolean;
}
