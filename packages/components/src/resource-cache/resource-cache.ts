import type { PublishedEvent } from "@inode-gateway/registry";

/** Bounds of a {@link ResourceCache}. */
export interface ResourceCacheLimits {
  readonly maxEntries: number;
  /** Keys, results and {@link ENTRY_OVERHEAD_BYTES} for each entry. */
  readonly maxBytes: number;
}

/** What is remembered of one Resource; `T` is whatever the caller keeps with it. */
export interface CachedResource<T> {
  /** The Resource's new bytes; undefined when it stays as it is. Must not be modified. */
  readonly replacement: Uint8Array | undefined;
  readonly value: T;
  /** On the monotonic clock; an entry is kept beyond it, since the caller may learn from it. */
  readonly expiresAtMs: number;
}

/** The mapping that a result depends on; its publication makes the result old. */
export interface Dependency {
  readonly bootId: string;
  readonly inode: number;
}

/** Longer Resources are not remembered: comparing them costs as much as looking them up. */
export const CACHED_RESOURCE_BYTES_MAX = 65_536;

/** What an entry costs beside its bytes: two buffers, the entry, its places in three indexes. */
export const ENTRY_OVERHEAD_BYTES = 768;

/** Words of a Resource that go into its hash; at up to 1 KiB these are all of them. */
const HASHED_WORDS_MAX = 256;

/** Places an entry may stand at; more equal hashes than this push each other out. */
const PROBES = 4;

interface Entry<T> {
  readonly key: Buffer;
  readonly slot: number;
  readonly position: number;
  readonly bytes: number;
  readonly dependency: Dependency | undefined;
  resource: CachedResource<T>;
  isUsed: boolean;
}

/**
 * Resource bytes to their result: bounded in entries and bytes, least recently used out first
 * (second chance, so that a hit writes one flag).
 *
 * Entries own copies of the bytes: a batch's buffer is never kept alive. The hash is seeded, so that
 * nobody outside can prepare Resources that collide; those that do all the same share four places.
 */
export class ResourceCache<T> {
  readonly #limits: ResourceCacheLimits;
  readonly #seed: number;
  readonly #slots = new Map<number, Entry<T>>();
  /** The clock of the second-chance algorithm; freed positions are in `#free`. */
  readonly #ring: (Entry<T> | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #byMapping = new Map<string, Map<number, Set<Entry<T>>>>();
  #hand = 0;
  #bytes = 0;

  /** @param seed of the hash, in [0, 1) */
  constructor(limits: ResourceCacheLimits, seed: number) {
    this.#limits = limits;
    this.#seed = Math.floor(seed * 0x7fff_ffff) | 0;
  }

  get entries(): number {
    return this.#slots.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The entry of the Resource in `bytes` from `start` to `end`, expired or not. */
  find(bytes: Uint8Array, start: number, end: number): CachedResource<T> | undefined {
    const entry = this.#find(bytes, start, end, hashOf(bytes, start, end, this.#seed));
    if (entry === undefined) return undefined;
    entry.isUsed = true;
    return entry.resource;
  }

  /** Remembers a result; does nothing when it alone is above the limits. */
  put(
    bytes: Uint8Array,
    start: number,
    end: number,
    resource: CachedResource<T>,
    dependency: Dependency | undefined,
  ): void {
    const hash = hashOf(bytes, start, end, this.#seed);
    const old = this.#find(bytes, start, end, hash);
    if (old !== undefined) this.#remove(old);
    const size = end - start + (resource.replacement?.byteLength ?? 0) + ENTRY_OVERHEAD_BYTES;
    if (end - start > CACHED_RESOURCE_BYTES_MAX || size > this.#limits.maxBytes) return;
    if (this.#limits.maxEntries < 1) return;
    const slot = this.#freeSlot(hash);
    while (this.#isFullFor(size)) this.#evictOne();
    const entry: Entry<T> = {
      key: ownCopy(bytes, start, end),
      slot,
      position: this.#free.pop() ?? this.#ring.length,
      bytes: size,
      dependency,
      resource: ownResource(resource),
      isUsed: false,
    };
    this.#ring[entry.position] = entry;
    this.#slots.set(slot, entry);
    this.#bytes += size;
    this.#index(entry);
  }

  /** Forgets every result that depends on one of the event's mappings. */
  forgetPublished(event: PublishedEvent): void {
    const node = this.#byMapping.get(event.bootId);
    if (node === undefined) return;
    const inodes = event.keys?.map(({ inode }) => inode) ?? [...node.keys()];
    for (const inode of inodes) {
      for (const entry of [...(node.get(inode) ?? [])]) this.#remove(entry);
    }
  }

  /** Forgets everything that `isOld` says is old. */
  forgetWhere(isOld: (resource: CachedResource<T>) => boolean): void {
    for (const entry of [...this.#slots.values()]) {
      if (isOld(entry.resource)) this.#remove(entry);
    }
  }

  #find(bytes: Uint8Array, start: number, end: number, hash: number): Entry<T> | undefined {
    for (let probe = 0; probe < PROBES; probe++) {
      const entry = this.#slots.get(slotOf(hash, probe));
      if (entry === undefined || entry.key.byteLength !== end - start) continue;
      if (entry.key.compare(bytes, start, end) === 0) return entry;
    }
    return undefined;
  }

  #freeSlot(hash: number): number {
    for (let probe = 0; probe < PROBES; probe++) {
      const slot = slotOf(hash, probe);
      if (!this.#slots.has(slot)) return slot;
    }
    const slot = slotOf(hash, 0);
    const occupant = this.#slots.get(slot);
    if (occupant !== undefined) this.#remove(occupant);
    return slot;
  }

  #isFullFor(size: number): boolean {
    const { maxBytes, maxEntries } = this.#limits;
    return this.#slots.size >= maxEntries || this.#bytes + size > maxBytes;
  }

  #evictOne(): void {
    // Ends within two rounds: the first takes every second chance away.
    for (;;) {
      const entry = this.#ring[this.#hand];
      this.#hand = this.#hand + 1 < this.#ring.length ? this.#hand + 1 : 0;
      if (entry === undefined) continue;
      if (!entry.isUsed) {
        this.#remove(entry);
        return;
      }
      entry.isUsed = false;
    }
  }

  #index(entry: Entry<T>): void {
    if (entry.dependency === undefined) return;
    const { bootId, inode } = entry.dependency;
    let node = this.#byMapping.get(bootId);
    if (node === undefined) {
      node = new Map();
      this.#byMapping.set(bootId, node);
    }
    const others = node.get(inode);
    if (others === undefined) node.set(inode, new Set([entry]));
    else others.add(entry);
  }

  #remove(entry: Entry<T>): void {
    if (!this.#slots.delete(entry.slot)) return;
    this.#ring[entry.position] = undefined;
    this.#free.push(entry.position);
    this.#bytes -= entry.bytes;
    if (entry.dependency === undefined) return;
    const { bootId, inode } = entry.dependency;
    const node = this.#byMapping.get(bootId);
    const entries = node?.get(inode);
    if (node === undefined || entries === undefined) return;
    entries.delete(entry);
    if (entries.size === 0) node.delete(inode);
    if (node.size === 0) this.#byMapping.delete(bootId);
  }
}

function slotOf(hash: number, probe: number): number {
  return (hash + probe) & 0x3fff_ffff;
}

function ownResource<T>(resource: CachedResource<T>): CachedResource<T> {
  const { expiresAtMs, replacement, value } = resource;
  if (replacement === undefined) return resource;
  return { replacement: ownCopy(replacement, 0, replacement.byteLength), value, expiresAtMs };
}

/** A copy with memory of its own, so that what is counted is what is kept. */
function ownCopy(bytes: Uint8Array, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}

/**
 * A multiplicative hash over 32-bit words, 30 bits of it: small integers in V8, so that the Map's
 * keys are not boxed. The rotation carries the words' high bits down, which multiplying alone never
 * does. Above 1 KiB the words are spread evenly, the last four bytes always included.
 */
function hashOf(bytes: Uint8Array, start: number, end: number, seed: number): number {
  const length = end - start;
  const words = length >>> 2;
  const stride = words <= HASHED_WORDS_MAX ? 4 : Math.ceil(words / HASHED_WORDS_MAX) << 2;
  let hash = mix(seed, length);
  let offset = start;
  for (; offset + 4 <= end; offset += stride) hash = mix(hash, word(bytes, offset));
  if (length >= 4) hash = mix(hash, word(bytes, end - 4));
  else for (; offset < end; offset++) hash = mix(hash, at(bytes, offset));
  hash = Math.imul(hash ^ (hash >>> 15), MULTIPLIER);
  return (hash ^ (hash >>> 13)) & 0x3fff_ffff;
}

/** 2^32 divided by the golden ratio, made odd: spreads neighbouring values evenly. */
const MULTIPLIER = 0x9e37_79b1;

function mix(hash: number, value: number): number {
  return Math.imul(((hash << 5) | (hash >>> 27)) ^ value, MULTIPLIER);
}

function word(bytes: Uint8Array, offset: number): number {
  return (
    at(bytes, offset) |
    (at(bytes, offset + 1) << 8) |
    (at(bytes, offset + 2) << 16) |
    (at(bytes, offset + 3) << 24)
  );
}

function at(bytes: Uint8Array, offset: number): number {
  return bytes[offset] ?? 0;
}
