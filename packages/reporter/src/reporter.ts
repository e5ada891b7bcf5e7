import type { ContainerPublisher, NodeRecord } from "@inode-gateway/registry";
import { findHierarchies } from "./discovery/hierarchies.js";
import { NodeDiscovery } from "./discovery/node-discovery.js";
import { PendingChanges } from "./discovery/pending-changes.js";
import { reporterMetrics } from "./metrics.js";
import { describeNode } from "./node-record.js";
import { Publication } from "./publication/publication.js";
import type { Reporter, ReporterOptions, ReporterStatus } from "./reporter-types.js";

/**
 * Makes a reporter; touches nothing until `start`.
 *
 * `publisher` stays the caller's: it is neither started nor stopped here.
 */
export function createReporter(options: ReporterOptions, publisher: ContainerPublisher): Reporter {
  return new NodeReporter(options, publisher);
}

interface Parts {
  readonly node: NodeRecord;
  readonly discovery: NodeDiscovery;
  readonly publication: Publication;
  readonly pending: PendingChanges;
}

class NodeReporter implements Reporter {
  readonly #options: ReporterOptions;
  readonly #publisher: ContainerPublisher;
  #phase: ReporterStatus["phase"] = "stopped";
  #parts: Parts | undefined;

  constructor(options: ReporterOptions, publisher: ContainerPublisher) {
    this.#options = options;
    this.#publisher = publisher;
  }

  async start(): Promise<void> {
    if (this.#phase !== "stopped") throw new Error(`reporter is ${this.#phase} already`);
    this.#phase = "starting";
    try {
      this.#parts = this.#assemble();
      await this.#follow(this.#parts);
    } catch (error) {
      this.#parts?.discovery.stop();
      this.#parts = undefined;
      this.#phase = "stopped";
      throw error;
    }
  }

  async stop(deadlineMs: number): Promise<void> {
    if (this.#parts === undefined || this.#phase === "stopping") return;
    this.#phase = "stopping";
    const { discovery, publication } = this.#parts;
    discovery.stop();
    await publication.stop(deadlineMs);
    this.#parts = undefined;
    this.#phase = "stopped";
  }

  // `stop` may come at any await in between.
  async #follow({ discovery, publication }: Parts): Promise<void> {
    const isStarting = () => this.#phase === "starting";
    await discovery.walk();
    if (!isStarting()) return;
    // A node's containers are known now: the registry learns them while the watches are added.
    publication.start();
    await discovery.follow();
    if (isStarting()) this.#phase = "running";
  }

  status(): ReporterStatus {
    const parts = this.#parts;
    const registry = parts?.publication.status;
    const containers = parts?.discovery.index.countContainers();
    const reason = this.#reasonNotReady();
    return {
      phase: this.#phase,
      isReady: reason === undefined,
      reason,
      bootId: parts?.node.bootId,
      hierarchy: parts?.node.hierarchy,
      containers: containers?.accepted ?? 0,
      contestedContainerIds: containers?.contested ?? 0,
      mappings: parts?.discovery.index.mappingCount ?? 0,
      directories: parts?.discovery.directories ?? 0,
      watches: parts?.discovery.watches ?? 0,
      unwatchedDirectories: parts?.discovery.unwatchedDirectories ?? 0,
      registry: {
        isAvailable: registry?.isAvailable ?? false,
        lastError: registry?.lastError,
        lastAcknowledgedUnixMs: registry?.lastAcknowledgedUnixMs,
        pendingChanges: parts?.pending.size ?? 0,
      },
    };
  }

  #reasonNotReady(): string | undefined {
    if (this.#phase !== "running") return `the reporter is ${this.#phase}`;
    const registry = this.#parts?.publication.status;
    if (registry?.isReconciled === true) return undefined;
    return registry?.lastError === undefined
      ? "the registry has not been written yet"
      : `the registry does not answer: ${registry.lastError}`;
  }

  #assemble(): Parts {
    const { config, logger, meter, clock, version } = this.#options;
    const found = findHierarchies(config);
    const node = describeNode(config, found, version);
    logger.info("this node is reported", {
      boot_id: node.bootId,
      node_name: node.nodeName,
      host_name: node.hostName,
      host_id: node.hostId,
      kernel_release: node.kernelRelease,
      hierarchy: node.hierarchy,
      devices: node.devices,
    });
    if (found.partialRoot !== undefined) {
      logger.warn(
        "the cgroup file system shows a part of its hierarchy only, so other containers stay unknown",
        {
          path: found.partialRoot,
          advice: "mount the node's /sys/fs/cgroup into the reporter, and set `cgroup_root` to it",
        },
      );
    }
    const dropped = meter.counter(reporterMetrics.changesDropped);
    const pending = new PendingChanges(() => dropped.add(1));
    const discovery = new NodeDiscovery({
      config,
      found,
      pending,
      logger,
      meter,
      clock,
      changed: () => publication.changed(),
      drifted: () => publication.reconcileSoon(),
    });
    const publisher = this.#publisher;
    const view = discovery.index;
    const options = { config, node, publisher, view, pending, logger, meter, clock };
    const publication = new Publication(options);
    return { node, discovery, publication, pending };
  }
}
