import type { NameKind } from "../node-names.js";

/** The keys of one node, in the order in which the Lua commands take them. */
export interface NodeKeys {
  /** Hash: the node's record, its heartbeat, its rival, its counters. */
  readonly node: string;
  /** Hash: container ID to attributes. */
  readonly containers: string;
  /** Sorted set: fields that vanished, by the time they did. */
  readonly vanished: string;
  /** Begins the names of the bucket hashes `<buckets>:<n>`: field to container ID. */
  readonly buckets: string;
}

/**
 * Every key and channel in Redis.
 *
 * All keys of one node carry the hash tag `{bootId}`, which puts them into one slot of a Cluster, so
 * that one command may touch them all. Indexes lead to nodes in other slots; each stands alone.
 */
export class RegistryKeys {
  readonly #prefix: string;

  /** `prefix` begins every key; a brace in it would be taken for the hash tag. */
  constructor(prefix: string) {
    this.#prefix = prefix.replaceAll(/[{}]/g, "_");
  }

  /** `bootId` must have been checked: a brace in it would move the keys to another slot. */
  ofNode(bootId: string): NodeKeys {
    const base = `${this.#prefix}:{${bootId}}`;
    return {
      node: `${base}:node`,
      containers: `${base}:containers`,
      vanished: `${base}:vanished`,
      buckets: `${base}:inodes`,
    };
  }

  /** Sorted set: boot ID by the last heartbeat. */
  get nodes(): string {
    return `${this.#prefix}:nodes`;
  }

  /** Sorted set: boot IDs of the nodes with this name, by their last heartbeat. */
  nodesNamed(kind: NameKind, name: string): string {
    return `${this.#prefix}:nodes_by_${kind}:${name}`;
  }

  /** One channel for all nodes; sharded channels are for a Cluster of many. */
  get publications(): string {
    return `${this.#prefix}:publications`;
  }
}
