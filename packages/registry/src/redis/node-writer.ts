import type {
  Mapping,
  MappingChanges,
  MappingKey,
  NodeRecord,
  ReconcileResult,
} from "../container-registry.js";
import { checkNode, registryLimits } from "../limits.js";
import { claimOf, fieldOf } from "../mapping-field.js";
import type { RegistryObserver } from "../registry-options.js";
import { mappingsWithinLimits } from "../within-limits.js";
import {
  type ClaimResult,
  forgottenPerCommand,
  indexCalls,
  type NodeCallSettings,
  refreshCall,
  refreshResultOf,
  writeCalls,
  writeResultOf,
} from "./node-calls.js";
import { type StoredMapping, storedMappings } from "./node-mappings.js";
import type { RedisLink } from "./redis-link.js";
import { runScripts, type ScriptCall } from "./run-scripts.js";

/** Calls in one round trip, so that one reporter's reconciliation does not hold up all others. */
const callsPerRoundTrip = 16;
/** Round trips of one heartbeat that forget; what is left is the next one's. */
const forgettingRoundTripsMax = 16;
/** Nodes of which this process knows that it wrote them; beyond it all are forgotten. */
const writtenNodesMax = 65_536;

/** What the writer needs of its registry. */
export interface NodeWriterSettings {
  readonly link: RedisLink;
  readonly observer: RegistryObserver;
  readonly callSettings: () => NodeCallSettings;
  readonly unixMs: () => number;
  /** Redis has lost or dropped what this process had written of a node: it must reconcile. */
  readonly onLost: () => void;
}

/** The reporter's side: publishing, reconciling, heartbeats. */
export class NodeWriter {
  readonly #settings: NodeWriterSettings;
  /** When the indexes were last told of a node, by boot ID. */
  readonly #written = new Map<string, number>();

  constructor(settings: NodeWriterSettings) {
    this.#settings = settings;
  }

  async publish(node: NodeRecord, changes: MappingChanges): Promise<void> {
    checkNode(node);
    const { observer } = this.#settings;
    const published = mappingsWithinLimits(node, changes.published, observer);
    const wasWritten = this.#written.has(node.bootId);
    await this.#indexNow(node);
    const { claim } = await this.#write(node, published, changes.vanished);
    if (claim === "took_over" || (claim === "created" && wasWritten)) this.#settings.onLost();
  }

  async reconcile(node: NodeRecord, mappings: readonly Mapping[]): Promise<ReconcileResult> {
    checkNode(node);
    const wanted = new Map<string, Mapping>();
    for (const mapping of mappingsWithinLimits(node, mappings, this.#settings.observer)) {
      wanted.set(fieldOf(node, mapping), mapping);
    }
    // First of all the claim: taking a node over drops what was stored before.
    const { claim } = await this.#refresh(node);
    if (claim === "refused") return { published: 0, vanished: 0, unchanged: 0 };
    const missing = new Map(wanted);
    const vanished: MappingKey[] = [];
    const { keys } = this.#settings.callSettings();
    for await (const stored of storedMappings(this.#settings.link, keys, node.bootId)) {
      const { field, mapping, hasVanished } = stored;
      const want = wanted.get(field);
      if (want === undefined) {
        if (!hasVanished && isWritable(node, stored)) vanished.push(mapping);
      } else if (!hasVanished && isSameContainer(want, mapping)) missing.delete(field);
    }
    const result = await this.#write(node, [...missing.values()], vanished);
    return {
      published: missing.size,
      vanished: result.vanished,
      unchanged: wanted.size - missing.size,
    };
  }

  async heartbeat(node: NodeRecord): Promise<void> {
    checkNode(node);
    const wasWritten = this.#written.has(node.bootId);
    const first = await this.#refresh(node);
    let { forgotten } = first;
    for (let round = 1; forgotten === forgottenPerCommand; round++) {
      if (round >= forgettingRoundTripsMax) break;
      const [reply] = await this.#run([refreshCall(node, this.#settings.callSettings())]);
      forgotten = refreshResultOf(reply).forgotten;
    }
    const isLost = first.claim === "created" && wasWritten;
    if (first.claim === "took_over" || isLost) this.#settings.onLost();
  }

  /** The indexes first: one that leads nowhere is harmless, a node that none leads to is lost. */
  async #refresh(node: NodeRecord): Promise<ClaimResult & { readonly forgotten: number }> {
    const settings = this.#settings.callSettings();
    const replies = await this.#run([...indexCalls(node, settings), refreshCall(node, settings)]);
    const result = refreshResultOf(replies.at(-1));
    if (this.#written.has(node.bootId)) this.#noteIndexed(node.bootId);
    this.#noteClaim(node, result);
    return result;
  }

  async #write(
    node: NodeRecord,
    published: readonly Mapping[],
    vanished: readonly MappingKey[],
  ): Promise<{ readonly claim: ClaimResult["claim"]; readonly vanished: number }> {
    const calls = writeCalls(node, published, vanished, this.#settings.callSettings());
    const results = (await this.#run(calls)).map(writeResultOf);
    let refusedCount = 0;
    let vanishedCount = 0;
    for (const { refused, vanished: marked } of results) {
      refusedCount += refused;
      vanishedCount += marked;
    }
    const [first] = results;
    if (first !== undefined) this.#noteClaim(node, first);
    if (refusedCount > 0) {
      throw new RangeError(
        `node ${node.bootId} has ${registryLimits.mappingsPerNode} mappings, ` +
          `the limit; ${refusedCount} more were not stored`,
      );
    }
    return { claim: first?.claim ?? "accepted", vanished: vanishedCount };
  }

  #noteClaim(node: NodeRecord, { claim, owner }: ClaimResult): void {
    if (claim === "refused") {
      this.#settings.observer.warning?.(
        "two reporters claim one boot ID, so its node is ambiguous",
        { boot_id: node.bootId, refused: claimOf(node), kept: owner },
      );
      return;
    }
    if (this.#written.size >= writtenNodesMax) this.#written.clear();
    if (!this.#written.has(node.bootId)) this.#noteIndexed(node.bootId);
  }

  /** Unless a heartbeat has just done so, which is the rule. */
  async #indexNow(node: NodeRecord): Promise<void> {
    const settings = this.#settings.callSettings();
    const ageMs = this.#settings.unixMs() - (this.#written.get(node.bootId) ?? 0);
    if (ageMs >= 0 && ageMs <= settings.times.heartbeatTimeoutMs) return;
    await this.#run(indexCalls(node, settings));
    if (this.#written.has(node.bootId)) this.#noteIndexed(node.bootId);
  }

  #noteIndexed(bootId: string): void {
    this.#written.set(bootId, this.#settings.unixMs());
  }

  async #run(calls: readonly ScriptCall[]): Promise<unknown[]> {
    const replies: unknown[] = [];
    for (let from = 0; from < calls.length; from += callsPerRoundTrip) {
      const some = calls.slice(from, from + callsPerRoundTrip);
      for (const reply of await this.#settings.link.run((client) => runScripts(client, some))) {
        if (reply instanceof Error) throw reply;
        replies.push(reply);
      }
    }
    return replies;
  }
}

/** False for what was written while the node had another hierarchy: it goes with the node. */
function isWritable(node: NodeRecord, { field, mapping }: StoredMapping): boolean {
  try {
    return fieldOf(node, mapping) === field;
  } catch {
    return false;
  }
}

function isSameContainer(wanted: Mapping, stored: Mapping): boolean {
  return (
    wanted.record.containerId === stored.record.containerId &&
    JSON.stringify(wanted.record.attributes) === JSON.stringify(stored.record.attributes)
  );
}
