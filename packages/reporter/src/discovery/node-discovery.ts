import { reporterMetrics } from "../metrics.js";
import type { ReporterConfig } from "../reporter-config.js";
import type { Clock, Logger, Meter } from "../reporter-types.js";
import type { SkipReason } from "./cgroup-directory.js";
import { ContainerIndex, type Place } from "./container-index.js";
import { DirectoryTree } from "./directory-tree.js";
import type { NodeHierarchies } from "./hierarchies.js";
import type { PendingChanges } from "./pending-changes.js";
import { Watches } from "./watches.js";

/** What a discovery is made of. */
export interface NodeDiscoveryOptions {
  readonly config: ReporterConfig;
  readonly found: NodeHierarchies;
  readonly pending: PendingChanges;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly clock: Clock;
  /** A change waits in `pending`. */
  readonly changed: () => void;
  /** A sweep found what no event had told: the registry may have missed it as well. */
  readonly drifted: () => void;
}

const skipReasons: readonly SkipReason[] = [
  "max_depth",
  "max_directories",
  "max_directories_per_container",
  "max_name_length",
  "unsafe_inode",
];

/** Contested claims logged between two sweeps; whoever may make cgroups can make any number. */
const maxLoggedContests = 10;

/** All hierarchies of one node: walks them, follows them, and sweeps them from time to time. */
export class NodeDiscovery {
  readonly index: ContainerIndex;
  readonly #options: NodeDiscoveryOptions;
  readonly #watches: Watches;
  readonly #trees: readonly DirectoryTree[];
  readonly #count = { directories: 0 };
  readonly #endObservations: (() => void)[] = [];
  readonly #loggedReasons = new Set<SkipReason>();
  #sweepTimer: { cancel(): void } | undefined;
  #unwatched = 0;
  #loggedContests = 0;
  #isStopped = false;

  /** @throws Error when a hierarchy's root cannot be read */
  constructor(options: NodeDiscoveryOptions) {
    const { config, clock, meter } = options;
    this.#options = options;
    this.#watches = new Watches({ limitReached: (limit) => this.#reportWatchLimit(limit) });
    const outcomes = {
      refused: meter.counter(reporterMetrics.conflicts, { outcome: "refused" }),
      ambiguous: meter.counter(reporterMetrics.conflicts, { outcome: "ambiguous" }),
    };
    this.index = new ContainerIndex({
      pending: options.pending,
      nowMs: () => clock.nowMs(),
      maxDirectoriesPerContainer: config.limits.max_directories_per_container,
      observer: {
        changed: options.changed,
        contested: (place, others) => {
          if (place.verdict !== "accepted") outcomes[place.verdict].add(1);
          this.#reportContest(place, others);
        },
      },
    });
    const settings = {
      index: this.index,
      watches: this.#watches,
      count: this.#count,
      nowMs: () => clock.nowMs(),
      limits: {
        maxDepth: config.limits.max_depth,
        maxDirectories: config.limits.max_directories,
        maxNameLength: config.limits.max_name_length,
      },
    };
    this.#trees = options.found.hierarchies.map((each) => new DirectoryTree(each, settings));
    this.#observe();
  }

  get directories(): number {
    return this.#count.directories;
  }

  get watches(): number {
    return this.#watches.count;
  }

  /** Directories that had no watch at the end of the latest sweep. */
  get unwatchedDirectories(): number {
    return this.#unwatched;
  }

  /** Reads all hierarchies once; afterwards the index is complete. */
  async walk(): Promise<void> {
    const { clock, meter, logger } = this.#options;
    const startMs = clock.nowMs();
    for (const tree of this.#trees) await tree.walk();
    const durationMs = clock.nowMs() - startMs;
    meter.gauge(reporterMetrics.walkDuration).set(durationMs / 1_000);
    logger.info("all cgroups were read", {
      directories: this.#count.directories,
      containers: this.index.countContainers().accepted,
      hierarchies: this.#trees.length,
      duration_ms: Math.round(durationMs),
    });
    this.#reportSkipped();
  }

  /** Adds the watches, looks again at what was read before them, and begins to sweep. */
  async follow(): Promise<void> {
    await this.#sweepAll();
    this.#scheduleSweep();
  }

  /** Ends all watches and sweeps. Safe twice. */
  stop(): void {
    this.#isStopped = true;
    this.#sweepTimer?.cancel();
    for (const tree of this.#trees) tree.stop();
    for (const end of this.#endObservations.splice(0)) end();
  }

  #scheduleSweep(): void {
    if (this.#isStopped) return;
    const { config, clock, logger } = this.#options;
    const isFollowed = this.#unwatched === 0;
    const delayMs = isFollowed
      ? config.sweep_interval
      : Math.min(config.sweep_interval, config.fallback_sweep_interval);
    this.#sweepTimer = clock.setTimer(delayMs, () => {
      this.#sweep()
        .catch((error: unknown) => logger.error("sweeping the cgroups failed", { error }))
        .finally(() => this.#scheduleSweep());
    });
  }

  async #sweep(): Promise<void> {
    const { clock, meter, logger, drifted } = this.#options;
    const startMs = clock.nowMs();
    const wasFollowed = this.#unwatched === 0;
    const found = await this.#sweepAll();
    meter.counter(reporterMetrics.sweeps).add(1);
    meter.gauge(reporterMetrics.sweepDuration).set((clock.nowMs() - startMs) / 1_000);
    if (found === 0 || this.#isStopped) return;
    meter.counter(reporterMetrics.sweepFound).add(found);
    // Without watches a sweep is how changes are found, and no sign that anything went wrong.
    if (!wasFollowed) return;
    logger.info("a sweep found changes that no event had told", { directories: found });
    drifted();
  }

  /** Directories added or removed by the sweep. */
  async #sweepAll(): Promise<number> {
    this.#watches.retry();
    this.#loggedContests = 0;
    let found = 0;
    let unwatched = 0;
    for (const tree of this.#trees) {
      const result = await tree.sweep();
      found += result.found;
      unwatched += result.unwatched;
    }
    this.#unwatched = unwatched;
    if (unwatched === 0 && this.#watches.limit !== undefined && !this.#isStopped) {
      this.#watches.recovered();
      this.#options.logger.info("every directory is watched again");
    }
    this.#reportSkipped();
    return found;
  }

  #reportWatchLimit({ code, sysctl }: { readonly code: string; readonly sysctl: string }): void {
    const { logger, config } = this.#options;
    logger.error(
      "no more directories can be watched, so new containers below the others are found by sweeping",
      {
        code,
        watches: this.#watches.count,
        directories: this.#count.directories,
        sweep_interval_ms: Math.min(config.sweep_interval, config.fallback_sweep_interval),
        advice: `raise ${sysctl} on the node, such as with: sysctl -w ${sysctl}=<twice its value>`,
      },
    );
  }

  #reportContest({ containerId, verdict, directory }: Place, others: number): void {
    this.#loggedContests++;
    if (this.#loggedContests > maxLoggedContests) return;
    this.#options.logger.warn("a container ID is claimed at more than one place", {
      container_id: containerId,
      outcome: verdict,
      inode: directory.inode,
      owner_uid: directory.ownerUid,
      other_places: others,
    });
  }

  #reportSkipped(): void {
    for (const reason of skipReasons) {
      if (this.#loggedReasons.has(reason)) continue;
      const directories = this.#countSkipped(reason);
      if (directories === 0) continue;
      this.#loggedReasons.add(reason);
      this.#options.logger.warn("a limit keeps directories out", {
        limit: reason === "unsafe_inode" ? reason : `limits::${reason}`,
        directories,
      });
    }
  }

  #countSkipped(reason: SkipReason): number {
    return this.#trees.reduce((sum, tree) => sum + tree.countSkipped(reason), 0);
  }

  #observe(): void {
    const { meter } = this.#options;
    const watch = (
      definition: Parameters<Meter["observe"]>[0],
      read: () => number,
      labels: Readonly<Record<string, string>> = {},
    ) => this.#endObservations.push(meter.observe(definition, labels, read));
    watch(reporterMetrics.containers, () => this.index.countContainers().accepted);
    watch(reporterMetrics.contestedContainers, () => this.index.countContainers().contested);
    watch(reporterMetrics.mappings, () => this.index.mappingCount);
    watch(reporterMetrics.directories, () => this.#count.directories);
    watch(reporterMetrics.watches, () => this.#watches.count);
    watch(reporterMetrics.unwatchedDirectories, () => this.#unwatched);
    for (const reason of skipReasons) {
      watch(reporterMetrics.skippedDirectories, () => this.#countSkipped(reason), { reason });
    }
  }
}
