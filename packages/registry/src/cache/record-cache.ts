import type { ContainerRecord, InodeKey } from "../container-registry.js";
import { CacheSegment, hashOf } from "./cache-segment.js";

/** Entries of one segment: growing one takes about a millisecond, growing the whole table 100. */
const entriesPerSegment = 16_384;
const segmentsMax = 1_024;

/** Nodes whose boot IDs are known to the cache; the one longest known leaves first. */
const nodesMax = 131_072;
/** Hierarchies of one node; keys of further ones are not cached. */
const devicesPerNode = 64;

/** One node's numbers in the table, and its containers. */
interface CachedNode {
  /** Stands for (boot ID, no device) in the table's entries. Never used again for another node. */
  readonly domain: number;
  readonly domainsByDevice: Map<number, number>;
  /** One record per container, however many inodes lead to it. */
  readonly records: Map<string, { record: ContainerRecord; entryCount: number }>;
}

/**
 * The gateway's memory of positive answers: at most `entriesMax`, at most a life long.
 *
 * A key's boot ID and device become one number (its domain), so that an entry is 16 bytes of a typed
 * array and a reference. Forgetting a node is giving up its number: its entries are then never found
 * and are the first to be evicted. When full, CLOCK evicts what was not read lately.
 */
export class RecordCache {
  readonly #segments: CacheSegment<ContainerRecord>[] = [];
  readonly #segmentShift: number;
  /** What `get` needs of `#nodes` when no device is given: a number in the map, no object behind. */
  readonly #domains = new Map<string, number>();
  readonly #nodes = new Map<string, CachedNode>();
  readonly #nodesByDomain = new Map<number, CachedNode>();
  #lastDomain = 0;
  #generation = 0;

  /** @throws RangeError unless `entriesMax` is an integer above 0 */
  constructor(entriesMax: number) {
    if (!Number.isInteger(entriesMax) || entriesMax < 1) {
      throw new RangeError(`cache of ${entriesMax} entries, it must be an integer above 0`);
    }
    let bits = 0;
    while (2 ** bits * entriesPerSegment < entriesMax && 2 ** bits < segmentsMax) bits++;
    this.#segmentShift = 32 - bits;
    const perSegment = Math.ceil(entriesMax / 2 ** bits);
    for (let index = 0; index < 2 ** bits; index++) {
      this.#segments.push(new CacheSegment(perSegment, this.#release));
    }
  }

  /** Entries, those of forgotten nodes that were not evicted yet included. */
  get size(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.size, 0);
  }

  get(key: InodeKey): ContainerRecord | undefined {
    const { bootId, device, inode } = key;
    const domain =
      device === undefined
        ? this.#domains.get(bootId)
        : this.#nodes.get(bootId)?.domainsByDevice.get(device);
    if (domain === undefined) return undefined;
    const low = inode | 0;
    let high = 0;
    if (low !== inode || low < 0) {
      high = upperHalf(inode);
      // What is no integer must not be found under the integer it would be cut to.
      if (high * 0x1_0000_0000 + (low >>> 0) !== inode) return undefined;
    }
    const hash = hashOf(domain, low, high);
    return this.#segmentOf(hash)?.get(hash, domain, low, high, this.#generation);
  }

  /** `key` must be plausible. Entries of one container and the same attributes share one record. */
  set(key: InodeKey, record: ContainerRecord): void {
    const node = this.#nodes.get(key.bootId) ?? this.#addNode(key.bootId);
    const domain = this.#domainOf(node, key.device);
    if (domain === undefined) return;
    const low = key.inode | 0;
    const high = upperHalf(key.inode);
    const hash = hashOf(domain, low, high);
    const shared = sharedRecord(node, record);
    this.#segmentOf(hash)?.set(hash, domain, low, high, this.#generation, shared);
  }

  /** Forgets what a publication may have changed. */
  delete(key: InodeKey): void {
    const node = this.#nodes.get(key.bootId);
    if (node === undefined) return;
    const domain = key.device === undefined ? node.domain : node.domainsByDevice.get(key.device);
    if (domain === undefined) return;
    const low = key.inode | 0;
    const high = upperHalf(key.inode);
    const hash = hashOf(domain, low, high);
    this.#segmentOf(hash)?.delete(hash, domain, low, high);
  }

  /** Forgets an inode under whatever device it was asked for. */
  deleteInode(bootId: string, inode: number): void {
    this.delete({ bootId, inode });
    for (const device of this.#nodes.get(bootId)?.domainsByDevice.keys() ?? []) {
      this.delete({ bootId, inode, device });
    }
  }

  deleteNode(bootId: string): void {
    const node = this.#nodes.get(bootId);
    if (node === undefined) return;
    this.#nodes.delete(bootId);
    this.#domains.delete(bootId);
    this.#nodesByDomain.delete(node.domain);
    for (const domain of node.domainsByDevice.values()) this.#nodesByDomain.delete(domain);
  }

  /** Begins a new generation: entries that have seen eight of them are not returned any more. */
  age(): void {
    this.#generation++;
  }

  #segmentOf(hash: number): CacheSegment<ContainerRecord> | undefined {
    // A shift by 32 is a shift by 0 in JavaScript, hence the case of a single segment.
    return this.#segments[this.#segmentShift === 32 ? 0 : hash >>> this.#segmentShift];
  }

  #addNode(bootId: string): CachedNode {
    if (this.#nodes.size >= nodesMax) {
      const [oldest] = this.#nodes.keys();
      if (oldest !== undefined) this.deleteNode(oldest);
    }
    const node = { domain: this.#nextDomain(), domainsByDevice: new Map(), records: new Map() };
    this.#nodes.set(bootId, node);
    this.#domains.set(bootId, node.domain);
    this.#nodesByDomain.set(node.domain, node);
    return node;
  }

  #domainOf(node: CachedNode, device: number | undefined): number | undefined {
    if (device === undefined) return node.domain;
    const known = node.domainsByDevice.get(device);
    if (known !== undefined || node.domainsByDevice.size >= devicesPerNode) return known;
    const domain = this.#nextDomain();
    node.domainsByDevice.set(device, domain);
    this.#nodesByDomain.set(domain, node);
    return domain;
  }

  /** Signed 32 bits, never 0, which stands for an empty slot; it takes years to come round. */
  #nextDomain(): number {
    this.#lastDomain = (this.#lastDomain + 1) | 0;
    if (this.#lastDomain === 0) this.#lastDomain = 1;
    return this.#lastDomain;
  }

  /** An entry has left: its record goes with the last entry of its container. */
  readonly #release = (domain: number, record: ContainerRecord): void => {
    const records = this.#nodesByDomain.get(domain)?.records;
    const shared = records?.get(record.containerId);
    if (shared === undefined || records === undefined) return;
    shared.entryCount--;
    if (shared.entryCount === 0) records.delete(record.containerId);
  };
}

/** The record that the container's other entries have, when it says the same. */
function sharedRecord(node: CachedNode, record: ContainerRecord): ContainerRecord {
  const shared = node.records.get(record.containerId);
  if (shared === undefined) {
    node.records.set(record.containerId, { record, entryCount: 1 });
    return record;
  }
  shared.entryCount++;
  if (!hasSameAttributes(shared.record, record)) shared.record = record;
  return shared.record;
}

function hasSameAttributes(a: ContainerRecord, b: ContainerRecord): boolean {
  const names = Object.keys(a.attributes);
  if (names.length !== Object.keys(b.attributes).length) return false;
  return names.every((name) => a.attributes[name] === b.attributes[name]);
}

/** The upper 32 bits of an integer. */
function upperHalf(inode: number): number {
  return Math.floor(inode / 0x1_0000_0000) | 0;
}
