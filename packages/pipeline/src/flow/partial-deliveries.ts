import { createHash } from "node:crypto";
import type { Batch, Clock } from "@inode-gateway/contract";

/**
 * How long it is remembered which branches have a batch: longer than the Collector's and the SDKs' longest
 * pause between two tries (30 s), with room for the try itself.
 */
export const PARTIAL_DELIVERY_MS = 60_000;

/** Batches remembered at one time; the oldest is forgotten for one more. About 200 bytes each. */
export const PARTIAL_DELIVERIES_MAX = 10_000;

interface PartialDelivery {
  readonly byteLength: number;
  readonly digest: string;
  /** Names of branches. */
  readonly branches: ReadonlySet<string>;
  readonly untilMs: number;
}

/**
 * Remembers which branches of a fan-out have a batch whose sender was refused, by the bytes of the
 * sender's request, so that its retry goes only to the others. The batch's own bytes will not do: a
 * processor may make something else of the same request a second later.
 *
 * The same bytes with other metadata or from another authenticated sender are another batch. Each
 * memory is good for one retry: of two equal batches that failed, both retries are recognized. Kept
 * over reloads, since a sender does not know of them.
 */
export class PartialDeliveries {
  readonly #clock: Clock;
  /** In the order of their end, as all others here. */
  readonly #known = new Set<PartialDelivery>();
  readonly #byDigest = new Map<string, PartialDelivery[]>();
  /** How many have this length: what has a length of its own is not hashed. */
  readonly #lengths = new Map<number, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#known.size;
  }

  /** The names of the branches that have this batch, which is forgotten now; undefined when it is not known. */
  take(batch: Batch): ReadonlySet<string> | undefined {
    this.#forgetOld();
    if (!this.#lengths.has(requestLength(batch))) return undefined;
    const found = this.#byDigest.get(digestOf(batch))?.[0];
    if (found !== undefined) this.#forget(found);
    return found?.branches;
  }

  remember(batch: Batch, branches: ReadonlySet<string>): void {
    this.#forgetOld();
    if (this.#known.size >= PARTIAL_DELIVERIES_MAX) {
      const [oldest] = this.#known;
      if (oldest !== undefined) this.#forget(oldest);
    }
    const byteLength = requestLength(batch);
    const digest = digestOf(batch);
    const untilMs = this.#clock.nowMs() + PARTIAL_DELIVERY_MS;
    const partial = { byteLength, digest, branches, untilMs };
    this.#known.add(partial);
    this.#lengths.set(byteLength, (this.#lengths.get(byteLength) ?? 0) + 1);
    const equal = this.#byDigest.get(digest);
    if (equal === undefined) this.#byDigest.set(digest, [partial]);
    else equal.push(partial);
  }

  #forgetOld(): void {
    const nowMs = this.#clock.nowMs();
    for (const partial of this.#known) {
      if (partial.untilMs > nowMs) return;
      this.#forget(partial);
    }
  }

  /** @param partial the oldest of those with its digest */
  #forget(partial: PartialDelivery): void {
    const { byteLength, digest } = partial;
    this.#known.delete(partial);
    const equal = this.#byDigest.get(digest);
    equal?.shift();
    if (equal?.length === 0) this.#byDigest.delete(digest);
    const left = (this.#lengths.get(byteLength) ?? 0) - 1;
    if (left > 0) this.#lengths.set(byteLength, left);
    else this.#lengths.delete(byteLength);
  }
}

// A cryptographic hash: whoever could make two batches with one hash would make one of them vanish.
function digestOf({ chunks, itemCount, origin, signal, way }: Batch): string {
  const hash = createHash("sha256");
  for (const chunk of origin.request === undefined ? chunks : [origin.request]) hash.update(chunk);
  // A part of a request, as connectors make them, is told from the others by its way and its items.
  const part = [signal, way, itemCount];
  const sender = [[...origin.metadata].sort(), [...(origin.auth ?? [])].sort()];
  return hash.update(JSON.stringify([part, sender])).digest("base64");
}

function requestLength({ byteLength, origin }: Batch): number {
  return origin.request?.byteLength ?? byteLength;
}
