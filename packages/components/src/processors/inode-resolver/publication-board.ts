import type { InodeKey, PublishedEvent } from "@inode-gateway/registry";

/** Somebody's interest in one mapping, from before the registry is asked until it is closed. */
export interface PublicationWatch {
  readonly key: InodeKey;
  /** Whether a publication of this inode was heard since the watch began, or since `rearm`. */
  readonly isPublished: boolean;
  /** Called at every publication of this inode. */
  onPublished: (() => void) | undefined;
  rearm(): void;
  close(): void;
}

/**
 * Who waits for which mapping.
 *
 * A publication may be heard before the answer to a question that was asked earlier arrives, since
 * answers and publications travel on different connections: whoever watches before asking misses none.
 */
export class PublicationBoard {
  readonly #watches = new Map<string, Map<number, Set<Watch>>>();

  /** Begins to watch for `key`; the device is left out, since a spurious wake-up costs one look. */
  watch(key: InodeKey): PublicationWatch {
    const watch = new Watch(key, (closed) => this.#remove(closed));
    let node = this.#watches.get(key.bootId);
    if (node === undefined) {
      node = new Map();
      this.#watches.set(key.bootId, node);
    }
    const others = node.get(key.inode);
    if (others === undefined) node.set(key.inode, new Set([watch]));
    else others.add(watch);
    return watch;
  }

  /** Tells every watch that the event is about; without keys it is about the whole node. */
  announce(event: PublishedEvent): void {
    const node = this.#watches.get(event.bootId);
    if (node === undefined) return;
    if (event.keys === undefined) {
      for (const watches of [...node.values()]) tellAll(watches);
      return;
    }
    for (const { inode } of event.keys) {
      const watches = node.get(inode);
      if (watches !== undefined) tellAll(watches);
    }
  }

  #remove(watch: Watch): void {
    const { bootId, inode } = watch.key;
    const node = this.#watches.get(bootId);
    const watches = node?.get(inode);
    if (node === undefined || watches === undefined) return;
    watches.delete(watch);
    if (watches.size === 0) node.delete(inode);
    if (node.size === 0) this.#watches.delete(bootId);
  }
}

class Watch implements PublicationWatch {
  readonly key: InodeKey;
  readonly #remove: (watch: Watch) => void;
  isPublished = false;
  onPublished: (() => void) | undefined = undefined;

  constructor(key: InodeKey, remove: (watch: Watch) => void) {
    this.key = key;
    this.#remove = remove;
  }

  rearm(): void {
    this.isPublished = false;
  }

  close(): void {
    this.onPublished = undefined;
    this.#remove(this);
  }
}

function tellAll(watches: ReadonlySet<Watch>): void {
  for (const watch of watches) {
    watch.isPublished = true;
    watch.onPublished?.();
  }
}
