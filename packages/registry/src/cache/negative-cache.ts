import type { InodeKey, LookupAnswer } from "../container-registry.js";

/** An answer that names no container, and may do so soon. */
export type NegativeAnswer = Exclude<
  LookupAnswer,
  { readonly outcome: "found" } | { readonly outcome: "unavailable" }
>;

interface NegativeEntry {
  readonly answer: NegativeAnswer;
  readonly untilUnixMs: number;
}

interface NegativeNode {
  /** Answers every key of the node: nobody published it. */
  whole: NegativeEntry | undefined;
  /** By inode, then by device; undefined where the sender did not say. */
  readonly inodes: Map<number, Map<number | undefined, NegativeEntry>>;
  entryCount: number;
}

/**
 * The gateway's memory of answers that name no container: short-lived, since a miss is not a fact.
 *
 * At most `entriesMax`; beyond it the node that has been there longest goes with all its entries,
 * which costs a question more and no wrong answer.
 */
export class NegativeCache {
  readonly #entriesMax: number;
  readonly #lifeMs: number;
  readonly #nodes = new Map<string, NegativeNode>();
  #size = 0;

  constructor(options: { readonly entriesMax: number; readonly lifeMs: number }) {
    this.#entriesMax = options.entriesMax;
    this.#lifeMs = options.lifeMs;
  }

  get size(): number {
    return this.#size;
  }

  get(key: InodeKey, nowUnixMs: number): NegativeAnswer | undefined {
    const node = this.#nodes.get(key.bootId);
    if (node === undefined) return undefined;
    const entry = node.whole ?? node.inodes.get(key.inode)?.get(key.device);
    if (entry === undefined) return undefined;
    // The lower bound is for a clock that was set back: nothing is believed longer than its life.
    const leftMs = entry.untilUnixMs - nowUnixMs;
    return leftMs > 0 && leftMs <= this.#lifeMs ? entry.answer : undefined;
  }

  set(key: InodeKey, answer: NegativeAnswer, nowUnixMs: number): void {
    if (this.#lifeMs <= 0) return;
    let node = this.#nodes.get(key.bootId);
    if (node === undefined) {
      node = { whole: undefined, inodes: new Map(), entryCount: 0 };
      this.#nodes.set(key.bootId, node);
    }
    this.#size -= node.entryCount;
    put(node, key, { answer, untilUnixMs: nowUnixMs + this.#lifeMs });
    this.#size += node.entryCount;
    this.#makeRoom();
  }

  /** Forgets an inode under whatever device it was asked for, and that its node is unknown. */
  deleteInode(bootId: string, inode: number): void {
    const node = this.#nodes.get(bootId);
    if (node === undefined) return;
    if (node.whole !== undefined) {
      this.deleteNode(bootId);
      return;
    }
    const count = node.inodes.get(inode)?.size ?? 0;
    node.inodes.delete(inode);
    node.entryCount -= count;
    this.#size -= count;
    if (node.entryCount === 0) this.#nodes.delete(bootId);
  }

  deleteNode(bootId: string): void {
    const node = this.#nodes.get(bootId);
    if (node === undefined) return;
    this.#size -= node.entryCount;
    this.#nodes.delete(bootId);
  }

  clear(): void {
    this.#nodes.clear();
    this.#size = 0;
  }

  #makeRoom(): void {
    while (this.#size > this.#entriesMax) {
      const [oldest] = this.#nodes.keys();
      if (oldest === undefined) return;
      this.deleteNode(oldest);
    }
  }
}

function put(node: NegativeNode, key: InodeKey, entry: NegativeEntry): void {
  if (entry.answer.outcome === "unknown_node") {
    node.whole = entry;
    node.inodes.clear();
    node.entryCount = 1;
    return;
  }
  if (node.whole !== undefined) {
    node.whole = undefined;
    node.entryCount = 0;
  }
  const devices = node.inodes.get(key.inode) ?? new Map<number | undefined, NegativeEntry>();
  if (!devices.has(key.device)) node.entryCount++;
  devices.set(key.device, entry);
  node.inodes.set(key.inode, devices);
}
