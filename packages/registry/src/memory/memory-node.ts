import type {
  ContainerRecord,
  InodeKey,
  Mapping,
  MappingKey,
  NodeRecord,
} from "../container-registry.js";
import { registryLimits } from "../limits.js";
import { claimOf } from "../mapping-field.js";

interface StoredContainer {
  record: ContainerRecord;
  /** Attributes as text, to tell whether they changed. */
  text: string;
  mappingCount: number;
}

interface StoredMapping {
  readonly inode: number;
  /** Undefined on the pure v2 hierarchy. */
  readonly device: number | undefined;
  container: StoredContainer;
  vanishedAtUnixMs: number | undefined;
}

/** What the node answers for one inode. */
export type NodeAnswer = ContainerRecord | "ambiguous" | undefined;

/** One node's mappings, and who claims to be that node. The caller has checked what it passes in. */
export class MemoryNode {
  #node: NodeRecord;
  #owner: string;
  #heartbeatUnixMs: number;
  /** The latest other claim; an undefined name stands for several. */
  #rival: { name: string | undefined; seenUnixMs: number } | undefined;
  readonly #mappings = new Map<number, StoredMapping[]>();
  readonly #containers = new Map<string, StoredContainer>();
  readonly #vanished = new Set<StoredMapping>();
  #mappingCount = 0;

  constructor(node: NodeRecord, nowUnixMs: number) {
    this.#node = node;
    this.#owner = claimOf(node);
    this.#heartbeatUnixMs = nowUnixMs;
  }

  get node(): NodeRecord {
    return this.#node;
  }

  get heartbeatUnixMs(): number {
    return this.#heartbeatUnixMs;
  }

  get mappingCount(): number {
    return this.#mappingCount;
  }

  /** Whether a second claim is still possible; cheap, for the path that has no time to look. */
  get hasRival(): boolean {
    return this.#rival !== undefined;
  }

  isConflicted(nowUnixMs: number, heartbeatTimeoutMs: number): boolean {
    return this.#rival !== undefined && nowUnixMs - this.#rival.seenUnixMs <= heartbeatTimeoutMs;
  }

  /**
   * Lets a reporter speak for this node.
   *
   * `refused`: another one does, and was heard within the timeout; what this one says is not kept.
   * `took_over`: the other one is gone; its mappings are dropped, since they may be another kernel's.
   */
  claim(
    node: NodeRecord,
    nowUnixMs: number,
    heartbeatTimeoutMs: number,
  ): "accepted" | "refused" | "took_over" {
    const name = claimOf(node);
    const isOwner = name === this.#owner;
    if (!isOwner && nowUnixMs - this.#heartbeatUnixMs <= heartbeatTimeoutMs) {
      const isSame = this.#rival === undefined || this.#rival.name === name;
      const isAlone = isSame || !this.isConflicted(nowUnixMs, heartbeatTimeoutMs);
      this.#rival = { name: isAlone ? name : undefined, seenUnixMs: nowUnixMs };
      return "refused";
    }
    this.#node = node;
    this.#heartbeatUnixMs = nowUnixMs;
    if (!isOwner) this.#takeOver(name);
    else if (!this.isConflicted(nowUnixMs, heartbeatTimeoutMs)) this.#rival = undefined;
    return isOwner ? "accepted" : "took_over";
  }

  #takeOver(name: string): void {
    this.#owner = name;
    if (this.#rival?.name === name) this.#rival = undefined;
    this.#mappings.clear();
    this.#containers.clear();
    this.#vanished.clear();
    this.#mappingCount = 0;
  }

  answer(key: InodeKey): NodeAnswer {
    const candidates = this.#mappings.get(key.inode);
    if (candidates === undefined) return undefined;
    let found: StoredContainer | undefined;
    for (const candidate of candidates) {
      if (!this.#fits(candidate, key.device)) continue;
      if (found !== undefined && found !== candidate.container) return "ambiguous";
      found = candidate.container;
    }
    return found?.record;
  }

  #fits(mapping: StoredMapping, device: number | undefined): boolean {
    if (this.#node.hierarchy === "v2") {
      if (mapping.device !== undefined) return false;
      return device === undefined || device === this.#node.devices[0];
    }
    if (mapping.device === undefined) return false;
    return device === undefined
      ? this.#node.devices.includes(mapping.device)
      : mapping.device === device;
  }

  /** Directories of one container. */
  mappingCountOf(containerId: string): number {
    return this.#containers.get(containerId)?.mappingCount ?? 0;
  }

  /** Whether the container is unknown here or was described otherwise. */
  isNewRecord(record: ContainerRecord): boolean {
    const known = this.#containers.get(record.containerId);
    return known === undefined || known.text !== JSON.stringify(record.attributes);
  }

  /** `full`: the node has as many mappings as it may; `changed`: the inode leads to a container anew. */
  put(mapping: Mapping): "changed" | "unchanged" | "full" {
    const device = this.#storedDevice(mapping.device);
    const text = JSON.stringify(mapping.record.attributes);
    const stored = this.#find(mapping.inode, device);
    if (stored === undefined && this.#mappingCount >= registryLimits.mappingsPerNode) return "full";
    const known = this.#containers.get(mapping.record.containerId);
    const container = known ?? { record: mapping.record, text, mappingCount: 0 };
    let isChanged = false;
    container.record = mapping.record;
    container.text = text;
    this.#containers.set(mapping.record.containerId, container);
    if (stored === undefined) {
      this.#add({ inode: mapping.inode, device, container, vanishedAtUnixMs: undefined });
      return "changed";
    }
    if (stored.container !== container) {
      container.mappingCount++;
      this.#release(stored.container);
      stored.container = container;
      isChanged = true;
    }
    if (this.#vanished.delete(stored)) isChanged = true;
    stored.vanishedAtUnixMs = undefined;
    return isChanged ? "changed" : "unchanged";
  }

  /** False when the mapping is unknown or has vanished before. */
  markVanished(key: MappingKey, nowUnixMs: number): boolean {
    const stored = this.#find(key.inode, this.#storedDevice(key.device));
    if (stored === undefined || stored.vanishedAtUnixMs !== undefined) return false;
    stored.vanishedAtUnixMs = nowUnixMs;
    this.#vanished.add(stored);
    return true;
  }

  /** Forgets every mapping that vanished at `untilUnixMs` or before. */
  expire(untilUnixMs: number): void {
    // A set keeps the order of insertion, and so the oldest stand first.
    for (const stored of this.#vanished) {
      if (stored.vanishedAtUnixMs === undefined || stored.vanishedAtUnixMs > untilUnixMs) return;
      this.#vanished.delete(stored);
      const rest = (this.#mappings.get(stored.inode) ?? []).filter((other) => other !== stored);
      if (rest.length === 0) this.#mappings.delete(stored.inode);
      else this.#mappings.set(stored.inode, rest);
      this.#mappingCount--;
      this.#release(stored.container);
    }
  }

  *mappings(): Generator<Mapping & { readonly hasVanished: boolean }> {
    for (const stored of this.#mappings.values()) {
      for (const { inode, device, container, vanishedAtUnixMs } of stored) {
        const hasVanished = vanishedAtUnixMs !== undefined;
        const { record } = container;
        yield device === undefined
          ? { inode, record, hasVanished }
          : { inode, device, record, hasVanished };
      }
    }
  }

  #storedDevice(device: number | undefined): number | undefined {
    return this.#node.hierarchy === "v2" ? undefined : device;
  }

  #find(inode: number, device: number | undefined): StoredMapping | undefined {
    return this.#mappings.get(inode)?.find((stored) => stored.device === device);
  }

  #add(stored: StoredMapping): void {
    const same = this.#mappings.get(stored.inode);
    if (same === undefined) this.#mappings.set(stored.inode, [stored]);
    else same.push(stored);
    stored.container.mappingCount++;
    this.#mappingCount++;
  }

  #release(container: StoredContainer): void {
    container.mappingCount--;
    if (container.mappingCount === 0) this.#containers.delete(container.record.containerId);
  }
}
