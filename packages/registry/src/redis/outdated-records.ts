import type { RecordCache } from "../cache/record-cache.js";
import type { Publication } from "./publications.js";

/** Publications that wait for Redis at most; one more is acted on at once. */
export const waitingPublicationsMax = 1_024;

/**
 * Takes records out of the cache that were published anew, but not before Redis can be asked for the
 * new ones.
 *
 * After an outage the connection for publications may be back before the one for lookups. A record
 * that was dropped in between could not be had again, although its container ID cannot have changed.
 * Only a node whose boot ID is in doubt is forgotten at once.
 */
export class OutdatedRecords {
  readonly #cache: RecordCache;
  #waiting: Publication[] = [];

  constructor(cache: RecordCache) {
    this.#cache = cache;
  }

  /** A publication was heard; `canAsk` says whether Redis can be asked now. */
  hear(publication: Publication, canAsk: boolean): void {
    const canWait = publication.kind !== "doubted" && this.#waiting.length < waitingPublicationsMax;
    if (canAsk || !canWait) this.#forget(publication);
    else this.#waiting.push(publication);
  }

  /** Redis can be asked again. */
  forgetWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const publication of waiting) this.#forget(publication);
  }

  #forget(publication: Publication): void {
    const { bootId } = publication;
    if (publication.kind !== "published") this.#cache.deleteNode(bootId);
    else for (const { inode } of publication.keys) this.#cache.deleteInode(bootId, inode);
  }
}
