import type { InodeKey } from "@inode-gateway/registry";
import { type EnrichmentConfig, enrichResource } from "./enrichment.js";
import { bootIdKey } from "./ladder/boot-id-step.js";
import type { Climb } from "./ladder/ladder.js";
import type { ResolverMetrics } from "./metrics.js";
import type { PendingResource, Resolution, SettledResource } from "./resolution.js";

/** A resolved Resource found by a node's name is asked again after this: names move to new nodes. */
const NODE_NAME_MAX_AGE_MS = 10_000;

/** How long a miss is believed at first; doubles with each further miss. */
const MISS_MAX_AGE_MS = 1_000;

/** How long a miss is believed at most. */
const REPEATED_MISS_MAX_AGE_MS = 10_000;

/** What {@link settleResource} goes by. */
export interface SettleOptions {
  readonly config: EnrichmentConfig;
  readonly metrics: ResolverMetrics;
  readonly resolvedMaxAgeMs: number;
  readonly nowMs: number;
}

/** Turns the ladder's answer into a Resource's result: its new bytes, or the reason it stays. */
export function settleResource(
  resource: PendingResource,
  answer: Climb,
  options: SettleOptions,
): SettledResource {
  const { hold, identity, previous } = resource;
  const { config, metrics, nowMs } = options;
  if (answer.outcome === "resolved") {
    const { bytes, end, start } = resource;
    const enriched = enrichResource(bytes, start, end, identity, answer.record, config);
    const value: Resolution = {
      tally: metrics.resolved(answer.step),
      hasConflict: enriched.hasConflict,
      reason: undefined,
      misses: 0,
      wasHeld: false,
    };
    const expiresAtMs = nowMs + resolvedMaxAgeMs(answer, options);
    return { replacement: enriched.bytes, value, expiresAtMs };
  }
  const misses = (previous?.misses ?? 0) + 1;
  const value: Resolution = {
    tally: metrics.unresolved(hold === "overflowed" ? "hold_overflow" : answer.reason),
    hasConflict: false,
    reason: answer.reason,
    misses,
    wasHeld: hold === "held" || previous?.wasHeld === true,
  };
  return { replacement: undefined, value, expiresAtMs: nowMs + missMaxAgeMs(answer, misses) };
}

/** The mapping whose publication makes this answer old; undefined when none does. */
export function dependencyOf(resource: PendingResource, answer: Climb): InodeKey | undefined {
  if (answer.outcome === "resolved") return answer.key;
  if (answer.awaited !== undefined) return answer.awaited;
  const key = bootIdKey(resource.identity);
  return typeof key === "string" ? undefined : key;
}

function resolvedMaxAgeMs(
  answer: Climb & { readonly outcome: "resolved" },
  options: SettleOptions,
): number {
  if (answer.step !== "node_name") return options.resolvedMaxAgeMs;
  return Math.min(NODE_NAME_MAX_AGE_MS, options.resolvedMaxAgeMs);
}

function missMaxAgeMs(answer: Climb & { readonly outcome: "unresolved" }, misses: number): number {
  // Where no step had anything to ask with, the bytes alone decide, and they never change.
  if (answer.trail.every(({ result }) => result.outcome === "skipped")) {
    return Number.POSITIVE_INFINITY;
  }
  if (answer.reason === "registry_unavailable") return MISS_MAX_AGE_MS;
  return Math.min(REPEATED_MISS_MAX_AGE_MS, MISS_MAX_AGE_MS * 2 ** (misses - 1));
}
