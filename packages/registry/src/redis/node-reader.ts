import type { Redis } from "ioredis";
import type { NodeNames, NodeRecord, NodeState } from "../container-registry.js";
import { isBootId, registryLimits } from "../limits.js";
import { type NameKind, namesThatAreSet } from "../node-names.js";
import type { RegistryClock, RegistryTimes } from "../registry-options.js";
import type { RegistryKeys } from "./keys.js";
import type { RedisLink } from "./redis-link.js";
import { listOf, nodeRecordOf, numberOf, textOf, unixMsOf } from "./replies.js";

/** Nodes read in one round trip. */
const nodesPerRoundTrip = 500;
/** Nodes that are listed at all. */
const nodesListedMax = 200_000;
/** Nodes of one name that are looked at, latest first: a second live one is ambiguous already. */
const nodesPerNameMax = 16;
/** Names whose nodes are remembered for {@link nameCacheMs}; the oldest leaves first. */
const namesCachedMax = 4_096;
const nameCacheMs = 1_000;

/** What the reader needs of its registry. */
export interface NodeReaderSettings {
  readonly link: RedisLink;
  readonly keys: RegistryKeys;
  readonly times: Required<RegistryTimes>;
  readonly clock: RegistryClock;
  /** Whose time says whether a node is alive. */
  readonly timeSource: "server" | "client";
}

/** Nodes as a whole: listing them, and finding them by a name. */
export class NodeReader {
  readonly #settings: NodeReaderSettings;
  readonly #byName = new Map<
    string,
    { readonly nodes: Promise<readonly NodeRecord[]>; readonly askedUnixMs: number }
  >();

  constructor(settings: NodeReaderSettings) {
    this.#settings = settings;
  }

  async nodes(): Promise<readonly NodeState[]> {
    const { link, keys } = this.#settings;
    const states: NodeState[] = [];
    for (let from = 0; from < nodesListedMax; from += nodesPerRoundTrip) {
      const to = from + nodesPerRoundTrip - 1;
      const bootIds = await link.run((client) => client.zrange(keys.nodes, `${from}`, `${to}`));
      states.push(...(await this.#statesOf(bootIds)));
      if (bootIds.length < nodesPerRoundTrip) break;
    }
    return states;
  }

  /** Answers of the last second are given again; asking for the same name twice is one question. */
  async nodesByName(names: NodeNames): Promise<readonly NodeRecord[]> {
    const [first] = namesThatAreSet(names);
    if (first === undefined || first.name.length > registryLimits.nameLength) return [];
    const id = `${first.kind} ${first.name}`;
    const now = this.#settings.clock.unixMs();
    const known = this.#byName.get(id);
    const ageMs = known === undefined ? nameCacheMs : now - known.askedUnixMs;
    try {
      if (known !== undefined && ageMs >= 0 && ageMs < nameCacheMs) return await known.nodes;
      this.#byName.delete(id);
      const nodes = this.#liveNodesNamed(first.kind, first.name);
      this.#byName.set(id, { nodes, askedUnixMs: now });
      if (this.#byName.size > namesCachedMax) this.#forgetOldestName();
      return await nodes;
    } catch {
      // The interface promises an empty answer while the registry is away; availability says why.
      this.#byName.delete(id);
      return [];
    }
  }

  /** Forgets what was remembered of names. */
  clear(): void {
    this.#byName.clear();
  }

  #forgetOldestName(): void {
    const [oldest] = this.#byName.keys();
    if (oldest !== undefined) this.#byName.delete(oldest);
  }

  async #liveNodesNamed(kind: NameKind, name: string): Promise<readonly NodeRecord[]> {
    const { link, keys } = this.#settings;
    const index = keys.nodesNamed(kind, name);
    const bootIds = await link.run((client) => client.zrevrange(index, 0, nodesPerNameMax - 1));
    const states = await this.#statesOf(bootIds);
    // The index is a hint: the node itself says whether it is still called that.
    return states
      .filter(({ isAlive, node }) => isAlive && hasName(node, kind, name))
      .map(({ node }) => node);
  }

  async #statesOf(bootIds: readonly string[]): Promise<NodeState[]> {
    const ours = bootIds.filter(isBootId);
    if (ours.length === 0) return [];
    const replies = await this.#settings.link.run((client) => this.#readNodes(client, ours));
    const nowUnixMs =
      this.#settings.timeSource === "client"
        ? this.#settings.clock.unixMs()
        : unixMsOf(replies.at(-1));
    return replies.slice(0, -1).flatMap((reply) => this.#stateOf(reply, nowUnixMs) ?? []);
  }

  async #readNodes(client: Redis, bootIds: readonly string[]): Promise<unknown[]> {
    const pipeline = client.pipeline();
    for (const bootId of bootIds) {
      const { node } = this.#settings.keys.ofNode(bootId);
      pipeline.hmget(node, "record", "heartbeat", "mappings", "rival_heartbeat");
    }
    pipeline.time();
    return ((await pipeline.exec()) ?? []).map(([error, reply]) => error ?? reply);
  }

  /** Undefined when the index leads to a node that is not there (any more). */
  #stateOf(reply: unknown, nowUnixMs: number): NodeState | undefined {
    const [record, heartbeat, mappings, rivalHeartbeat] = listOf(reply, "a node");
    if (record === null || heartbeat === null) return undefined;
    const { heartbeatTimeoutMs, nodeRetentionMs } = this.#settings.times;
    const lastHeartbeatUnixMs = numberOf(textOf(heartbeat, "a heartbeat"), "a heartbeat");
    const ageMs = nowUnixMs - lastHeartbeatUnixMs;
    if (ageMs > nodeRetentionMs) return undefined;
    const isConflicted =
      rivalHeartbeat !== null &&
      nowUnixMs - numberOf(rivalHeartbeat, "a heartbeat") <= heartbeatTimeoutMs;
    return {
      node: nodeRecordOf(record),
      lastHeartbeatUnixMs,
      isAlive: ageMs <= heartbeatTimeoutMs,
      mappingCount: mappings === null ? 0 : numberOf(mappings, "a number of mappings"),
      isConflicted,
    };
  }
}

function hasName(node: NodeRecord, kind: NameKind, name: string): boolean {
  return namesThatAreSet(node).some((own) => own.kind === kind && own.name === name);
}
