import type {
  ContainerRecord,
  ContainerRegistry,
  InodeKey,
  LookupAnswer,
  Mapping,
  MappingChanges,
  MappingKey,
  NodeNames,
  NodeRecord,
  NodeState,
  PublishedEvent,
  ReconcileResult,
} from "../container-registry.js";
import { checkNode, isPlausibleKey, registryLimits } from "../limits.js";
import { Listeners } from "../listeners.js";
import { claimOf, fieldOf } from "../mapping-field.js";
import {
  type MemoryRegistryOptions,
  type RegistryClock,
  type RegistryObserver,
  type RegistryTimes,
  registryTimes,
  systemClock,
} from "../registry-options.js";
import { mappingsWithinLimits } from "../within-limits.js";
import { MemoryNode } from "./memory-node.js";
import { NodeDirectory } from "./node-directory.js";

/** Keys named in one publication; with more, listeners look their own up again. */
const publishedKeysMax = 64;

/** A registry inside this process: the embedded default, filled by a reporter or from a file. */
export function createMemoryRegistry(options: MemoryRegistryOptions = {}): ContainerRegistry {
  return new MemoryRegistry(options);
}

class MemoryRegistry implements ContainerRegistry {
  readonly #times: Required<RegistryTimes>;
  readonly #clock: RegistryClock;
  readonly #observer: RegistryObserver;
  readonly #nodes = new NodeDirectory();
  readonly #published: Listeners<[PublishedEvent]>;
  readonly #reconnected: Listeners<[]>;
  #sweptAtUnixMs: number;

  constructor(options: MemoryRegistryOptions) {
    this.#times = registryTimes(options);
    this.#clock = options.clock ?? systemClock;
    this.#observer = options.observer ?? {};
    this.#published = new Listeners("onPublished", this.#observer);
    this.#reconnected = new Listeners("onReconnected", this.#observer);
    this.#sweptAtUnixMs = this.#clock.unixMs();
  }

  readonly availability = { isAvailable: true };

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  /** Memory is always there: the listener is never called. */
  onAvailability(): () => void {
    return () => {};
  }

  onReconnected(listener: () => void): () => void {
    return this.#reconnected.add(listener);
  }

  onPublished(listener: (event: PublishedEvent) => void): () => void {
    return this.#published.add(listener);
  }

  cached(key: InodeKey): ContainerRecord | undefined {
    const node = this.#nodes.get(key.bootId);
    if (node === undefined) return undefined;
    // Only a node with a rival needs the time; asking for it always would cost more than the rest.
    if (node.hasRival && this.#isConflicted(node)) return undefined;
    const answer = node.answer(key);
    return answer === "ambiguous" ? undefined : answer;
  }

  async lookup(keys: readonly InodeKey[]): Promise<LookupAnswer[]> {
    const nowUnixMs = this.#clock.unixMs();
    this.#forgetNodes(nowUnixMs);
    const answers = keys.map((key) => this.#answer(key, nowUnixMs));
    const counts = new Map<string, number>();
    for (const { outcome } of answers) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    for (const [outcome, count] of counts) this.#observer.lookups?.(outcome, count);
    return answers;
  }

  #answer(key: InodeKey, nowUnixMs: number): LookupAnswer {
    const node = this.#nodes.get(key.bootId);
    if (node === undefined || this.#isForgotten(node, nowUnixMs)) {
      return { outcome: "unknown_node" };
    }
    if (this.#isConflicted(node)) return { outcome: "ambiguous" };
    const record = isPlausibleKey(key) ? node.answer(key) : undefined;
    if (record === "ambiguous") return { outcome: "ambiguous" };
    if (record !== undefined) return { outcome: "found", record, bootId: key.bootId };
    return { outcome: this.#isAlive(node, nowUnixMs) ? "unknown_inode" : "stale_node" };
  }

  async nodesByName(names: NodeNames): Promise<readonly NodeRecord[]> {
    const nowUnixMs = this.#clock.unixMs();
    const nodes = this.#nodes.withName(names);
    return nodes.filter((node) => this.#isAlive(node, nowUnixMs)).map((node) => node.node);
  }

  async publish(node: NodeRecord, changes: MappingChanges): Promise<void> {
    checkNode(node);
    const published = mappingsWithinLimits(node, changes.published, this.#observer);
    for (const key of changes.vanished) fieldOf(node, key);
    const { stored, needsReconcile } = this.#claim(node);
    if (stored === undefined) return;
    const nowUnixMs = this.#clock.unixMs();
    this.#put(stored, published);
    for (const key of changes.vanished) stored.markVanished(key, nowUnixMs);
    if (needsReconcile) this.#reconnected.notify();
  }

  async reconcile(node: NodeRecord, mappings: readonly Mapping[]): Promise<ReconcileResult> {
    checkNode(node);
    const wanted = new Map<string, Mapping>();
    for (const mapping of mappingsWithinLimits(node, mappings, this.#observer)) {
      wanted.set(fieldOf(node, mapping), mapping);
    }
    const { stored } = this.#claim(node);
    if (stored === undefined) return { published: 0, vanished: 0, unchanged: 0 };
    const nowUnixMs = this.#clock.unixMs();
    stored.expire(nowUnixMs - this.#times.retentionMs);
    let vanished = 0;
    for (const mapping of stored.mappings()) {
      if (wanted.has(storedField(mapping))) continue;
      if (stored.markVanished(mapping, nowUnixMs)) vanished++;
    }
    const published = this.#put(stored, [...wanted.values()]);
    return { published, vanished, unchanged: wanted.size - published };
  }

  async heartbeat(node: NodeRecord): Promise<void> {
    checkNode(node);
    const { stored, needsReconcile } = this.#claim(node);
    if (stored === undefined) return;
    stored.expire(this.#clock.unixMs() - this.#times.retentionMs);
    if (needsReconcile) this.#reconnected.notify();
  }

  async nodes(): Promise<readonly NodeState[]> {
    const nowUnixMs = this.#clock.unixMs();
    this.#forgetNodes(nowUnixMs);
    const nodes = [...this.#nodes.all()].filter((node) => !this.#isForgotten(node, nowUnixMs));
    return nodes.map((node) => ({
      node: node.node,
      lastHeartbeatUnixMs: node.heartbeatUnixMs,
      isAlive: this.#isAlive(node, nowUnixMs),
      mappingCount: node.mappingCount,
      isConflicted: this.#isConflicted(node),
    }));
  }

  async *mappings(bootId: string): AsyncGenerator<Mapping> {
    for (const { hasVanished: _, ...mapping } of this.#nodes.get(bootId)?.mappings() ?? []) {
      yield mapping;
    }
  }

  /** The node to write to, or undefined when another reporter speaks for it. */
  #claim(node: NodeRecord): { stored: MemoryNode | undefined; needsReconcile: boolean } {
    const nowUnixMs = this.#clock.unixMs();
    const known = this.#nodes.get(node.bootId);
    this.#forgetNodes(nowUnixMs);
    if (known === undefined || this.#isForgotten(known, nowUnixMs)) {
      if (known !== undefined) this.#nodes.remove(known.node);
      const stored = new MemoryNode(node, nowUnixMs);
      this.#nodes.add(stored);
      return { stored, needsReconcile: known !== undefined };
    }
    const before = known.node;
    const claim = known.claim(node, nowUnixMs, this.#times.heartbeatTimeoutMs);
    if (claim === "refused") {
      this.#observer.warning?.("two reporters claim one boot ID, so its node is ambiguous", {
        boot_id: node.bootId,
        refused: claimOf(node),
        kept: claimOf(before),
      });
      return { stored: undefined, needsReconcile: false };
    }
    this.#nodes.remove(before);
    this.#nodes.add(known);
    return { stored: known, needsReconcile: claim === "took_over" };
  }

  /** Returns how many changed, and tells them to everybody who waits. */
  #put(stored: MemoryNode, mappings: readonly Mapping[]): number {
    const changed: MappingKey[] = [];
    let count = 0;
    let refused = 0;
    // Asked before anything is stored: a new record is news for every directory of its container.
    const isNew = mappings.map(({ record }) => stored.isNewRecord(record));
    for (const [index, mapping] of mappings.entries()) {
      const result = stored.put(mapping);
      if (result === "full") refused++;
      if (result === "full" || (result === "unchanged" && isNew[index] !== true)) continue;
      count++;
      if (changed.length <= publishedKeysMax) changed.push(keyOf(stored.node, mapping));
    }
    if (count > 0) {
      const isPartial = count > publishedKeysMax || hasSiblings(stored, mappings, isNew);
      this.#published.notify({ bootId: stored.node.bootId, keys: isPartial ? undefined : changed });
    }
    if (refused > 0) {
      throw new RangeError(
        `node ${stored.node.bootId} has ${registryLimits.mappingsPerNode} mappings, ` +
          `the limit; ${refused} more were not stored`,
      );
    }
    return count;
  }

  #isAlive(node: MemoryNode, nowUnixMs: number): boolean {
    return nowUnixMs - node.heartbeatUnixMs <= this.#times.heartbeatTimeoutMs;
  }

  #isConflicted(node: MemoryNode): boolean {
    return node.hasRival && node.isConflicted(this.#clock.unixMs(), this.#times.heartbeatTimeoutMs);
  }

  #isForgotten(node: MemoryNode, nowUnixMs: number): boolean {
    return nowUnixMs - node.heartbeatUnixMs > this.#times.nodeRetentionMs;
  }

  /** Walks all nodes, but at most a hundred times per retention, so that nobody pays for it. */
  #forgetNodes(nowUnixMs: number): void {
    if (nowUnixMs - this.#sweptAtUnixMs < this.#times.nodeRetentionMs / 100) return;
    this.#sweptAtUnixMs = nowUnixMs;
    for (const node of this.#nodes.all()) {
      if (this.#isForgotten(node, nowUnixMs)) this.#nodes.remove(node.node);
    }
  }
}

/** Whether a new record concerns directories of its container that are not among `mappings`. */
function hasSiblings(
  stored: MemoryNode,
  mappings: readonly Mapping[],
  isNew: readonly boolean[],
): boolean {
  const counts = new Map<string, number>();
  for (const { record } of mappings) {
    counts.set(record.containerId, (counts.get(record.containerId) ?? 0) + 1);
  }
  return mappings.some(
    ({ record: { containerId } }, index) =>
      isNew[index] === true && stored.mappingCountOf(containerId) > (counts.get(containerId) ?? 0),
  );
}

function storedField(mapping: MappingKey): string {
  return mapping.device === undefined ? `${mapping.inode}` : `${mapping.inode}@${mapping.device}`;
}

function keyOf(node: NodeRecord, { inode, device }: MappingKey): MappingKey {
  return node.hierarchy === "v2" || device === undefined ? { inode } : { inode, device };
}
