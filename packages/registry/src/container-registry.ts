/**
 * One cgroup directory: an inode is unique within one running kernel and one hierarchy.
 *
 * Source: Linux fs/kernfs/dir.c; since 5.5 a 64-bit kernel never reuses a kernfs ID within a boot.
 */
export interface InodeKey {
  /** `/proc/sys/kernel/random/boot_id` of that kernel: lower-case UUID with hyphens. */
  readonly bootId: string;
  /** st_dev of the hierarchy; undefined where the sender did not say, as on the pure v2 hierarchy. */
  readonly device?: number | undefined;
  /** 3 to 2^53 - 1: exact as a number, since kernfs would have to wrap 2^21 times to pass it. */
  readonly inode: number;
}

/** What a node knows of one container. */
export interface ContainerRecord {
  readonly containerId: string;
  /** By semantic-convention name, such as `k8s.pod.uid` or `container.runtime.name`. */
  readonly attributes: Readonly<Record<string, string | number>>;
}

/** The answer to one key; only `found` names a container, every other outcome is a counted reason. */
export type LookupAnswer =
  | { readonly outcome: "found"; readonly record: ContainerRecord; readonly bootId: string }
  /** The key fits more than one container, or two nodes claim one boot ID: never guessed. */
  | { readonly outcome: "ambiguous" }
  /** The node is known and its reporter alive, but it has not published this inode (yet). */
  | { readonly outcome: "unknown_inode" }
  /** The node is known, the inode is not, and its reporter's heartbeat is overdue. */
  | { readonly outcome: "stale_node" }
  /** No reporter ever published this boot ID, or it was forgotten after its retention. */
  | { readonly outcome: "unknown_node" }
  /** The registry could not be asked and its cache does not know. */
  | { readonly outcome: "unavailable" };

/** A node as its reporter describes it. */
export interface NodeRecord {
  readonly bootId: string;
  /** `k8s.node.name`, when the node has one. */
  readonly nodeName?: string | undefined;
  readonly hostName: string;
  /** `/etc/machine-id` or what stands for it; undefined when unknown. */
  readonly hostId?: string | undefined;
  readonly kernelRelease: string;
  readonly reporterVersion: string;
  /** How cgroups are mounted there. */
  readonly hierarchy: "v2" | "hybrid" | "v1";
  /** st_dev of every indexed hierarchy; one element on a pure v2 node. */
  readonly devices: readonly number[];
}

/** A node together with what the registry knows of it. */
export interface NodeState {
  readonly node: NodeRecord;
  /** Unix time of the last heartbeat. */
  readonly lastHeartbeatUnixMs: number;
  readonly isAlive: boolean;
  /** Published mappings, retained ones of vanished containers included. */
  readonly mappingCount: number;
  /** Another reporter claims the same boot ID under another name (cloned VM snapshot). */
  readonly isConflicted: boolean;
}

/** One directory and the container it belongs to; descendants of a container's directory count too. */
export interface Mapping {
  readonly inode: number;
  /** st_dev of its hierarchy; left out on a pure v2 node. */
  readonly device?: number | undefined;
  readonly record: ContainerRecord;
}

/** A directory that is gone, by its key. */
export type MappingKey = Pick<Mapping, "inode" | "device">;

/** What a reporter saw change on its node. */
export interface MappingChanges {
  readonly published: readonly Mapping[];
  /** Kept for the registry's `retention`, so that late telemetry still resolves. */
  readonly vanished: readonly MappingKey[];
}

/** What `reconcile` had to do. */
export interface ReconcileResult {
  readonly published: number;
  readonly vanished: number;
  readonly unchanged: number;
}

/** New or newly described mappings of one node, told to everybody who waits for one. */
export interface PublishedEvent {
  readonly bootId: string;
  /**
   * Undefined when there were more than 64, or when a container's new record concerns directories
   * that were published before: look your own up again.
   */
  readonly keys: readonly MappingKey[] | undefined;
}

/** Names by which a node is found when its boot ID is not known; the first that is set decides. */
export interface NodeNames {
  readonly nodeName?: string | undefined;
  readonly hostId?: string | undefined;
  readonly hostName?: string | undefined;
}

/** The gateway's side: from an inode to a container. */
export interface ContainerLookup {
  /**
   * The answer, when the cache has a positive one; undefined sends the caller to `lookup`.
   *
   * Synchronous and at most 100 ns: called for every Resource that was not seen before.
   */
  cached(key: InodeKey): ContainerRecord | undefined;
  /** Asks for many keys in one round trip; answers stand in the order of the keys. Never rejects. */
  lookup(keys: readonly InodeKey[]): Promise<LookupAnswer[]>;
  /**
   * The live nodes with that name; more than one is ambiguous. Empty also when the registry is away.
   * An answer may be a second old.
   */
  nodesByName(names: NodeNames): Promise<readonly NodeRecord[]>;
  /** Calls `listener` for every publication from now on. Returns a function that ends that. */
  onPublished(listener: (event: PublishedEvent) => void): () => void;
}

/** The reporter's side: one node's directories. Every method rejects while the registry is away. */
export interface ContainerPublisher {
  /**
   * Stores what changed; the same call again changes nothing. One record holds for all directories
   * of a container: the last one given.
   *
   * @throws RangeError when an inode, device, container ID or the node itself cannot be stored, or
   *   the node has more mappings than `registryLimits` allow; attributes beyond the limits are left
   *   out instead
   */
  publish(node: NodeRecord, changes: MappingChanges): Promise<void>;
  /**
   * Makes the registry's view of the node equal to `mappings`, writing only the differences; a
   * heartbeat as well. While another reporter claims the boot ID, this and every other method
   * resolve without storing anything.
   */
  reconcile(node: NodeRecord, mappings: readonly Mapping[]): Promise<ReconcileResult>;
  /** Says the node is alive; also expires what has outlived its retention. */
  heartbeat(node: NodeRecord): Promise<void>;
  /**
   * Calls `listener` whenever a reporter should reconcile: the registry is reachable (again), it has
   * lost what this process had published of a node, or the node was taken over from a rival.
   */
  onReconnected(listener: () => void): () => void;
}

/** The operator's side: looking inside. Every method rejects while the registry is away. */
export interface RegistryInspection {
  nodes(): Promise<readonly NodeState[]>;
  /** Every mapping of one node, in no particular order. */
  mappings(bootId: string): AsyncIterable<Mapping>;
}

/** (boot ID, device, inode) to container: shared by all gateways, written by the nodes' reporters. */
export interface ContainerRegistry extends ContainerLookup, ContainerPublisher, RegistryInspection {
  /** Begins connecting; resolves at once, also when the registry is away. */
  start(): Promise<void>;
  /** Safe twice and without `start`. */
  stop(): Promise<void>;
  /** Whether the registry can be asked now, and why not. */
  readonly availability: { readonly isAvailable: boolean; readonly reason?: string | undefined };
  /** Calls `listener` whenever `availability` changes. Returns a function that ends that. */
  onAvailability(listener: () => void): () => void;
}
