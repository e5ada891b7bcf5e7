/** Generations an entry lives: the age of one that is read just before its end. */
export const generationsPerLife = 8;

const slotCountMin = 64;
// One slot: domain (0 when empty), lower and upper half of the inode, stamp. 16 bytes, so that four
// slots share a cache line and a probe touches one line. Signed 32-bit numbers throughout: V8 keeps
// them in registers, where unsigned ones above 2^31 would be boxed.
const wordsPerSlot = 4;

/**
 * One part of the cache: open addressing with linear probing, CLOCK eviction.
 *
 * The stamp holds the generation in which an entry was stored and, in its lowest bit, whether it was
 * read since the clock's hand last passed. Removal shifts the following entries back, so there are
 * no tombstones and the table never needs to be cleaned up.
 */
export class CacheSegment<Value> {
  readonly #entriesMax: number;
  readonly #release: (domain: number, value: Value) => void;
  #words = new Int32Array(slotCountMin * wordsPerSlot);
  #values: (Value | undefined)[] = new Array(slotCountMin).fill(undefined);
  #slotMask = slotCountMin - 1;
  #size = 0;
  #hand = 0;

  /** `release` is called with the domain and the value of every entry that leaves. */
  constructor(entriesMax: number, release: (domain: number, value: Value) => void) {
    this.#entriesMax = entriesMax;
    this.#release = release;
  }

  get size(): number {
    return this.#size;
  }

  /** `hash` decides the slot by its lower bits. An entry older than a life is not returned. */
  get(
    hash: number,
    domain: number,
    low: number,
    high: number,
    generation: number,
  ): Value | undefined {
    const words = this.#words;
    const mask = this.#slotMask;
    // At most 3 of 4 slots are taken, so an empty one ends every probe.
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const at = slot * wordsPerSlot;
      const found = words[at];
      if (found === 0) return undefined;
      if (found !== domain || words[at + 1] !== low || words[at + 2] !== high) continue;
      const stamp = words[at + 3] ?? 0;
      if (generation - (stamp >>> 1) >= generationsPerLife) return undefined;
      if ((stamp & 1) === 0) words[at + 3] = stamp | 1;
      return this.#values[slot];
    }
  }

  /** Stores an entry, replacing one of the same key. */
  set(
    hash: number,
    domain: number,
    low: number,
    high: number,
    generation: number,
    value: Value,
  ): void {
    let slot = this.#find(hash, domain, low, high);
    const replaced = this.#values[slot];
    if (replaced === undefined) {
      if (this.#size >= this.#entriesMax) {
        this.#evictOne(generation);
        slot = this.#find(hash, domain, low, high);
      } else if ((this.#size + 1) * 4 > (this.#slotMask + 1) * 3) {
        this.#grow();
        slot = this.#find(hash, domain, low, high);
      }
      this.#size++;
    }
    const at = slot * wordsPerSlot;
    this.#words[at] = domain;
    this.#words[at + 1] = low;
    this.#words[at + 2] = high;
    this.#words[at + 3] = generation * 2;
    this.#values[slot] = value;
    if (replaced !== undefined) this.#release(domain, replaced);
  }

  delete(hash: number, domain: number, low: number, high: number): void {
    const slot = this.#find(hash, domain, low, high);
    if (this.#words[slot * wordsPerSlot] !== 0) this.#removeAt(slot);
  }

  /** The slot of a key, or the empty one where it belongs. */
  #find(hash: number, domain: number, low: number, high: number): number {
    const words = this.#words;
    const mask = this.#slotMask;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const at = slot * wordsPerSlot;
      const found = words[at];
      if (found === 0) return slot;
      if (found === domain && words[at + 1] === low && words[at + 2] === high) return slot;
    }
  }

  /** Takes the first entry that is too old or was not read since the hand last passed. */
  #evictOne(generation: number): void {
    // Two rounds suffice: the first clears the bit of every entry.
    for (let step = 0; step <= 2 * (this.#slotMask + 1); step++) {
      const slot = this.#hand;
      const at = slot * wordsPerSlot;
      if (this.#words[at] !== 0) {
        const stamp = this.#words[at + 3] ?? 0;
        if ((stamp & 1) === 0 || generation - (stamp >>> 1) >= generationsPerLife) {
          this.#removeAt(slot);
          return;
        }
        this.#words[at + 3] = stamp - 1;
      }
      this.#hand = (slot + 1) & this.#slotMask;
    }
  }

  #removeAt(slot: number): void {
    const words = this.#words;
    const mask = this.#slotMask;
    const domain = words[slot * wordsPerSlot] ?? 0;
    const value = this.#values[slot];
    let hole = slot;
    for (let next = (slot + 1) & mask; words[next * wordsPerSlot] !== 0; next = (next + 1) & mask) {
      const home = this.#homeOf(next) & mask;
      // An entry may move back into the hole unless its home lies behind the hole.
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      words.copyWithin(hole * wordsPerSlot, next * wordsPerSlot, (next + 1) * wordsPerSlot);
      this.#values[hole] = this.#values[next];
      hole = next;
    }
    words[hole * wordsPerSlot] = 0;
    this.#values[hole] = undefined;
    this.#size--;
    if (value !== undefined) this.#release(domain, value);
  }

  #homeOf(slot: number): number {
    const at = slot * wordsPerSlot;
    const words = this.#words;
    return hashOf(words[at] ?? 0, words[at + 1] ?? 0, words[at + 2] ?? 0);
  }

  #grow(): void {
    const oldWords = this.#words;
    const oldValues = this.#values;
    const slotCount = oldValues.length * 2;
    this.#words = new Int32Array(slotCount * wordsPerSlot);
    this.#values = new Array(slotCount).fill(undefined);
    this.#slotMask = slotCount - 1;
    this.#hand = 0;
    for (let slot = 0; slot < oldValues.length; slot++) {
      const at = slot * wordsPerSlot;
      const domain = oldWords[at] ?? 0;
      if (domain === 0) continue;
      const low = oldWords[at + 1] ?? 0;
      const high = oldWords[at + 2] ?? 0;
      const target = this.#find(hashOf(domain, low, high), domain, low, high);
      this.#words.set(oldWords.subarray(at, at + wordsPerSlot), target * wordsPerSlot);
      this.#values[target] = oldValues[slot];
    }
  }
}

/** 32 well mixed bits, signed; the finaliser of MurmurHash3 over the three words of a key. */
export function hashOf(domain: number, low: number, high: number): number {
  let hash = Math.imul(domain, 0x9e37_79b1) ^ low ^ Math.imul(high, 0x27d4_eb2f);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
