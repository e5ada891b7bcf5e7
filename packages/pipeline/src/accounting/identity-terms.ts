import type { IdentityTerms } from "./accounts.js";
import type { CountedPipeline } from "./counted-graph.js";
import type { Tally } from "./tally.js";

/** The terms that are numbers of items. */
type ItemTerm = Exclude<keyof IdentityTerms, "dropReasons">;

const NONE: Readonly<Record<ItemTerm, number>> = {
  accepted: 0,
  recovered: 0,
  deliveredButRefused: 0,
  deliveredEarly: 0,
  delivered: 0,
  dropped: 0,
  persisted: 0,
  held: 0,
  inFlight: 0,
  unaccounted: 0,
};

const TERMS = Object.keys(NONE) as ItemTerm[];

/** Adds up parts of one identity; every term is additive. */
export function sumOfTerms(parts: Iterable<IdentityTerms>): IdentityTerms {
  const sum = { ...NONE };
  const dropReasons: Record<string, number> = {};
  for (const part of parts) {
    for (const term of TERMS) sum[term] += part[term];
    addReasons(dropReasons, Object.entries(part.dropReasons));
  }
  return { ...sum, dropReasons };
}

/**
 * What one pipeline adds to the identity of one of its ends.
 *
 * What was taken in and is neither consumed, dropped, held nor left on disk must be under way, and what is
 * under way is counted at every edge: it bounds the difference from both sides. At rest nothing is
 * under way and the difference must be 0.
 */
export function termsOfPipeline(pipeline: CountedPipeline, endIndex: number): IdentityTerms {
  const { entrance, fanOut, processorEdges, processors } = pipeline;
  const edge = pipeline.ends[endIndex]?.edge ?? entrance;
  let dropped = 0;
  let held = 0;
  let persisted = 0;
  let recovered = 0;
  const dropReasons: Record<string, number> = {};
  for (const { tally } of processors) {
    addReasons(dropReasons, tally.dropReasons);
    dropped += tally.droppedItems;
    held += tally.heldItems;
    persisted += tally.persistedItems;
    recovered += tally.recoveredItems;
  }
  // Batches before and behind a processor that holds are under way on different edges.
  let underWay = edge.inFlight + (fanOut?.inFlight ?? 0);
  for (const { inFlight } of new Set([entrance, ...processorEdges])) underWay += inFlight;
  const accepted = entrance.offered - entrance.refused;
  const deliveredButRefused = fanOut?.deliveredButRefused(endIndex) ?? 0;
  const taken = accepted + recovered + deliveredButRefused;
  const difference = taken - edge.accepted - dropped - persisted - held;
  const explained = Math.min(Math.max(difference, -underWay), underWay);
  return {
    accepted,
    recovered,
    deliveredButRefused,
    deliveredEarly: Math.max(0, -explained),
    delivered: edge.accepted,
    dropped,
    persisted,
    held,
    inFlight: Math.max(0, explained),
    unaccounted: difference - explained,
    dropReasons,
  };
}

/** What an end does with what its pipelines call delivered to it. */
export function termsOfEnd(tally: Tally): IdentityTerms {
  const { droppedItems: dropped, heldItems: held } = tally;
  const { persistedItems: persisted, recoveredItems: recovered } = tally;
  return {
    ...NONE,
    recovered,
    delivered: recovered - dropped - held - persisted,
    dropped,
    held,
    persisted,
    dropReasons: Object.fromEntries(tally.dropReasons),
  };
}

function addReasons(
  sum: Record<string, number>,
  reasons: Iterable<readonly [string, number]>,
): void {
  for (const [reason, items] of reasons) sum[reason] = (sum[reason] ?? 0) + items;
}
