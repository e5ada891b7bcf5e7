import type { Mapping, MappingKey } from "@inode-gateway/registry";

/** A mapping that the registry has not acknowledged. */
export interface PendingMapping {
  readonly mapping: Mapping;
  /** When the directory was seen, on the monotonic clock. */
  readonly seenAtMs: number;
}

/** What goes to the registry in one call. */
export interface ChangeBatch {
  readonly published: readonly PendingMapping[];
  readonly vanished: readonly MappingKey[];
}

/** Changes kept while the registry is away; the oldest beyond that are given up and counted. */
export const maxPendingChanges = 65_536;

/** One key as text, for maps. */
export function keyText({ device, inode }: MappingKey): string {
  return device === undefined ? `${inode}` : `${device}:${inode}`;
}

/**
 * Changes that wait to be published, at most two for one directory.
 *
 * A directory that came and went keeps both, in that order and never in one batch: telemetry of a
 * container that lived shorter than the publication took still resolves.
 */
export class PendingChanges {
  readonly #published = new Map<string, PendingMapping>();
  readonly #vanished = new Map<string, MappingKey>();
  readonly #onDropped: () => void;

  /** `onDropped` is called for each change that is given up. */
  constructor(onDropped: () => void) {
    this.#onDropped = onDropped;
  }

  get size(): number {
    return this.#published.size + this.#vanished.size;
  }

  publish(change: PendingMapping): void {
    const key = keyText(change.mapping);
    this.#vanished.delete(key);
    this.#published.delete(key);
    this.#published.set(key, change);
    this.#bound(this.#published);
  }

  vanish(key: MappingKey): void {
    this.#vanished.set(keyText(key), key);
    this.#bound(this.#vanished);
  }

  /** Takes the oldest changes, at most `limit` mappings and as many keys. */
  take(limit: number): ChangeBatch {
    const published = takeFirst(this.#published, limit, () => true);
    const taken = new Set(published.map(({ mapping }) => keyText(mapping)));
    const isLast = (key: string) => !this.#published.has(key) && !taken.has(key);
    return { published, vanished: takeFirst(this.#vanished, limit, isLast) };
  }

  /** Takes the mappings for which `covers` holds, whatever their number. */
  takePublished(covers: (key: string) => boolean): PendingMapping[] {
    return takeFirst(this.#published, this.#published.size, covers);
  }

  /** Puts back what could not be published; what has changed since then wins. */
  putBack(batch: ChangeBatch, isPresent: (key: string) => boolean): void {
    for (const change of batch.published) {
      const key = keyText(change.mapping);
      if (!this.#published.has(key)) this.#published.set(key, change);
    }
    this.#bound(this.#published);
    for (const key of batch.vanished) if (!isPresent(keyText(key))) this.vanish(key);
  }

  #bound(changes: Map<string, unknown>): void {
    while (changes.size > maxPendingChanges) {
      const [oldest] = changes.keys();
      if (oldest === undefined) return;
      changes.delete(oldest);
      this.#onDropped();
    }
  }
}

function takeFirst<Value>(
  from: Map<string, Value>,
  limit: number,
  covers: (key: string) => boolean,
): Value[] {
  const taken: Value[] = [];
  for (const [key, value] of from) {
    if (taken.length >= limit) break;
    if (!covers(key)) continue;
    taken.push(value);
    from.delete(key);
  }
  return taken;
}
