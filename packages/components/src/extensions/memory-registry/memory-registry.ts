import type { ComponentSettings, Timer } from "@inode-gateway/contract";
import {
  type ContainerRegistry,
  createMemoryRegistry,
  type NodeRecord,
} from "@inode-gateway/registry";
import type { ContainerRegistryProvider } from "../../capabilities/container-registry-provider.js";
import { observeAvailability, registryObserver } from "../../capabilities/registry-metrics.js";
import type { MemoryRegistryConfig } from "./config.js";
import { fileLoaded, fileRefused } from "./events.js";
import { FileFollower } from "./file-follower.js";
import { type FileNode, readMappingFile } from "./mapping-file.js";
import { fileMappings } from "./metrics.js";

/** Heartbeats within one `heartbeat_timeout`, as reporters send them. */
const HEARTBEATS_PER_TIMEOUT = 3;

/**
 * A registry inside the gateway's own process, filled by an embedded reporter or from a file.
 *
 * A version of the file is taken as a whole or not at all. At the start a file that cannot be used
 * is an error; later it is logged with its line, and the mappings from before stay.
 */
export class MemoryRegistryExtension implements ContainerRegistryProvider {
  readonly #settings: ComponentSettings;
  readonly #config: MemoryRegistryConfig;
  readonly containerRegistry: ContainerRegistry;
  #releases: (() => void)[] = [];
  #follower: FileFollower | undefined;
  #heartbeat: Timer | undefined;
  #nodes: readonly NodeRecord[] = [];
  #mappingCount = 0;
  #isFollowing = false;
  #isStopped = false;
  #isLost = false;

  constructor(settings: ComponentSettings, config: MemoryRegistryConfig) {
    this.#settings = settings;
    this.#config = config;
    this.containerRegistry = createMemoryRegistry({
      retentionMs: config.retention,
      nodeRetentionMs: config.node_retention,
      heartbeatTimeoutMs: config.heartbeat_timeout,
      clock: settings.clock,
      observer: registryObserver(settings),
    });
  }

  async start(): Promise<void> {
    const { id: extension, meter } = this.#settings;
    await this.containerRegistry.start();
    this.#releases = [observeAvailability(this.#settings, this.containerRegistry)];
    const { file, poll_interval: pollMs } = this.#config;
    if (file === undefined) return;
    this.#releases.push(meter.observe(fileMappings, { extension }, () => this.#mappingCount));
    this.#follower = new FileFollower(file, pollMs, this.#settings, {
      changed: () => this.#load(file),
      lost: (error) => this.#noteLoss(file, error),
    });
    try {
      await this.#follower.start();
    } catch (error) {
      await this.shutdown();
      throw new Error(`\`file\` cannot be used: ${reasonOf(error)}`, { cause: error });
    }
    this.#isFollowing = true;
    this.#scheduleHeartbeat();
  }

  async shutdown(): Promise<void> {
    this.#isStopped = true;
    this.#heartbeat?.cancel();
    await this.#follower?.stop();
    for (const release of this.#releases.splice(0)) release();
    await this.containerRegistry.stop();
  }

  /** @throws Error at the start only; later the mappings from before stay */
  async #load(file: string): Promise<void> {
    try {
      await this.#use(file);
    } catch (error) {
      if (!this.#isFollowing) throw error;
      fileRefused(this.#settings, file, error);
    }
  }

  /** Reads the whole file before anything of it is published. */
  async #use(file: string): Promise<void> {
    const nodes = await readMappingFile(file);
    const before = new Map(this.#nodes.map((node) => [node.bootId, node]));
    let mappings = 0;
    for (const { mappings: own, node } of nodes) {
      await this.containerRegistry.reconcile(node, own);
      before.delete(node.bootId);
      mappings += own.length;
    }
    // Their containers vanished; they still resolve for `retention`, and their heartbeat ends.
    for (const node of before.values()) await this.containerRegistry.reconcile(node, []);
    this.#nodes = nodes.map(({ node }: FileNode) => node);
    this.#mappingCount = mappings;
    this.#isLost = false;
    fileLoaded(this.#settings, file, { nodes: nodes.length, mappings });
  }

  /** @throws Error at the start only; later it is said once */
  async #noteLoss(file: string, error: unknown): Promise<void> {
    if (!this.#isFollowing) throw error;
    if (this.#isLost) return;
    this.#isLost = true;
    fileRefused(this.#settings, file, error);
  }

  /** A file has no reporter: as long as it names a node, the node counts as alive. */
  #scheduleHeartbeat(): void {
    if (this.#isStopped) return;
    const delayMs = this.#config.heartbeat_timeout / HEARTBEATS_PER_TIMEOUT;
    this.#heartbeat = this.#settings.clock.setTimer(delayMs, () => {
      this.#settings.runInBackground("heartbeat of the mapping file", this.#sendHeartbeats());
      this.#scheduleHeartbeat();
    });
  }

  async #sendHeartbeats(): Promise<void> {
    for (const node of this.#nodes) await this.containerRegistry.heartbeat(node);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
