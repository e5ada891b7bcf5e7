import type { ContainerRecord, InodeKey } from "../container-registry.js";
import { CacheSegment, hashOf, type SharedCell } from "./cache-segment.js";

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
  domainsByDevice: Map<number, number> | undefined;
  /** One record per container, however many inodes lead to it. */
  readonly records: Map<string, RecordCell>;
}

interface RecordCell extends SharedCell<ContainerRecord> {
  readonly node: CachedNode;
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
  readonly #nodes = new Map<string, CachedNode>();
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
      this.#segments.push(new CacheSegment(perSegment, (cell) => release(cell as RecordCell)));
    }
  }

  /** Entries, those of forgotten nodes that were not evicted yet included. */
  get size(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.size, 0);
  }

  get(key: InodeKey): ContainerRecord | undefined {
    const node = this.#nodes.get(key.bootId);
    if (node === undefined) return undefined;
    const domain =
      key.device === undefined ? node.domain : (node.domainsByDevice?.get(key.device) ?? 0);
    const { inode } = key;
    const low = inode >>> 0;
    const high = Math.floor(inode / 0x1_0000_0000);
    // What is no integer must not be found under the integer it would be cut to.
    if (domain === 0 || high * 0x1_0000_0000 + low !== inode) return undefined;
    const hash = hashOf(domain, low, high);
    return this.#segmentOf(hash)?.get(hash, domain, low, high, this.#generation)?.value;
  }

  /** `key` must be plausible. The record replaces an older one of the same container on that node. */
  set(key: InodeKey, record: ContainerRecord): void {
    const node = this.#nodes.get(key.bootId) ?? this.#addNode(key.bootId);
    const domain = this.#domainOf(node, key.device);
    if (domain === undefined) return;
    let cell = node.records.get(record.containerId);
    if (cell === undefined) {
      cell = { value: record, entryCount: 0, node };
      node.records.set(record.containerId, cell);
    }
    cell.value = record;
    cell.entryCount++;
    const low = key.inode >>> 0;
    const high = Math.floor(key.inode / 0x1_0000_0000);
    const hash = hashOf(domain, low, high);
    this.#segmentOf(hash)?.set(hash, domain, low, high, this.#generation, cell);
  }

  /** Forgets what a publication may have changed. */
  delete(key: InodeKey): void {
    const node = this.#nodes.get(key.bootId);
    if (node === undefined) return;
    const domain = key.device === undefined ? node.domain : node.domainsByDevice?.get(key.device);
    if (domain === undefined) return;
    const low = key.inode >>> 0;
    const high = Math.floor(key.inode / 0x1_0000_0000);
    const hash = hashOf(domain, low, high);
    this.#segmentOf(hash)?.delete(hash, domain, low, high);
  }

  /** Forgets an inode under whatever device it was asked for. */
  deleteInode(bootId: string, inode: number): void {
    this.delete({ bootId, inode });
    for (const device of this.#nodes.get(bootId)?.domainsByDevice?.keys() ?? []) {
      this.delete({ bootId, inode, device });
    }
  }

  deleteNode(bootId: string): void {
    this.#nodes.delete(bootId);
  }

  clear(): void {
    this.#nodes.clear();
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
      for (const oldest of this.#nodes.keys()) {
        this.#nodes.delete(oldest);
        break;
      }
    }
    const node = { domain: ++this.#lastDomain, domainsByDevice: undefined, records: new Map() };
    this.#nodes.set(bootId, node);
    return node;
  }

  #domainOf(node: CachedNode, device: number | undefined): number | undefined {
    if (device === undefined) return node.domain;
    node.domainsByDevice ??= new Map();
    const known = node.domainsByDevice.get(device);
    if (known !== undefined || node.domainsByDevice.size >= devicesPerNode) return known;
    const domain = ++this.#lastDomain;
    node.domainsByDevice.set(device, domain);
    return domain;
  }
}

function release(cell: RecordCell): void {
  cell.entryCount--;
  if (cell.entryCount === 0 && cell.node.records.get(cell.value.containerId) === cell) {
    cell.node.records.delete(cell.value.containerId);
  }
}
