import type { Batch } from "@inode-gateway/contract";
import type { InodeKey } from "@inode-gateway/registry";
import type { HoldRoom } from "./hold-room.js";
import { climb } from "./ladder/ladder.js";
import type { LookupRound } from "./lookup-round.js";
import type { ResolverMetrics } from "./metrics.js";
import type { PendingResource } from "./resolution.js";

/** Asks the registry about a batch's pending Resources and waits where waiting is worth while. */
export class MissLookup {
  readonly #room: HoldRoom;
  readonly #metrics: ResolverMetrics;

  constructor(room: HoldRoom, metrics: ResolverMetrics) {
    this.#room = room;
    this.#metrics = metrics;
  }

  /** Sets `climb` and `hold` of every pending Resource. */
  async resolve(
    batch: Batch,
    pending: readonly PendingResource[],
    round: LookupRound,
  ): Promise<void> {
    await climbAll(pending, round);
    const waiting = pending.filter(isWorthWaitingFor);
    if (waiting.length === 0) return;
    const waitMs = this.#room.allowedMs(batch.origin.deadlineMs);
    if (waitMs > 0) await this.#hold(batch, waiting, round, waitMs);
  }

  async #hold(
    batch: Batch,
    pending: readonly PendingResource[],
    round: LookupRound,
    waitMs: number,
  ): Promise<void> {
    const stay = this.#room.enter(batch.retainedBytes, waitMs);
    for (const resource of pending) resource.hold = stay === undefined ? "overflowed" : "held";
    if (stay === undefined) {
      this.#metrics.holdOverflows.add(1);
      return;
    }
    this.#metrics.holdsStarted.add(1);
    try {
      const waiting = new Set(pending);
      for (const resource of pending) wakeAtPublication(resource, round, () => stay.wake());
      // Each turn is caused by a publication of an awaited inode, and the stay's time ends them all.
      while (waiting.size > 0) {
        const event = await stay.nextEvent();
        if (event !== "woken") {
          this.#metrics.holdEnded(event);
          return;
        }
        const published = [...waiting].filter((resource) => isPublished(resource, round));
        await climbAll(published, round);
        for (const resource of published) {
          if (resource.climb?.outcome === "resolved") waiting.delete(resource);
        }
      }
      this.#metrics.holdEnded("woken");
    } finally {
      stay.leave();
    }
  }
}

/** The key that a pending Resource waits for, if any. */
function awaitedKey({ climb: answer }: PendingResource): InodeKey | undefined {
  return answer?.outcome === "unresolved" ? answer.awaited : undefined;
}

/** Whether the mapping that a miss waits for was published after the registry was asked for it. */
export function isPublished(resource: PendingResource, round: LookupRound): boolean {
  const key = awaitedKey(resource);
  return key !== undefined && round.watch(key).isPublished;
}

async function climbAll(pending: readonly PendingResource[], round: LookupRound): Promise<void> {
  await Promise.all(
    pending.map(async (resource) => {
      resource.climb = await climb(resource.identity, round);
    }),
  );
}

function isWorthWaitingFor(resource: PendingResource): boolean {
  return awaitedKey(resource) !== undefined && resource.previous?.wasHeld !== true;
}

function wakeAtPublication(resource: PendingResource, round: LookupRound, wake: () => void): void {
  const key = awaitedKey(resource);
  if (key === undefined) return;
  const watch = round.watch(key);
  watch.onPublished = wake;
  if (watch.isPublished) wake();
}
