import type { Meter } from "./reporter-types.js";

type MetricDefinition = Parameters<Meter["counter"]>[0];

/** Every metric a reporter may emit. */
export const reporterMetrics = {
  containers: gauge("containers", "Containers published under their own ID."),
  mappings: gauge("mappings", "Directories published, those below containers' own included."),
  directories: gauge("directories", "Directories known in all hierarchies."),
  watches: gauge("watches", "inotify watches in use."),
  unwatchedDirectories: gauge(
    "unwatched_directories",
    "Directories that only sweeps look at; above 0 raise fs.inotify.max_user_watches.",
  ),
  skippedDirectories: {
    ...gauge(
      "skipped_directories",
      "Directories kept out, by the limit's key; unsafe_inode is one above 2^53 - 1.",
    ),
    labels: ["reason"],
  },
  contestedContainers: gauge(
    "contested_containers",
    "Container IDs that some directory claims without being believed.",
  ),
  conflicts: {
    ...counter(
      "conflicts",
      "Claims to a container ID that were not believed: refused or ambiguous.",
    ),
    labels: ["outcome"],
  },
  walkDuration: gauge("walk_duration_seconds", "How long the first walk over all cgroups took."),
  sweeps: counter("sweeps", "Times every directory was checked for what no event told."),
  sweepFound: counter("sweep_found", "Directories made or removed that only a sweep noticed."),
  sweepDuration: gauge("sweep_duration_seconds", "How long the latest sweep took."),
  publishedMappings: counter("published_mappings", "Mappings the registry acknowledged."),
  vanishedMappings: counter("vanished_mappings", "Removals the registry acknowledged."),
  publishLatency: {
    ...counter(
      "publish_latency_seconds",
      "From the moment a directory was seen to the registry's acknowledgement.",
    ),
    kind: "histogram",
    buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60, 600],
  },
  reconciles: counter("reconciles", "Comparisons of the registry's whole view with the node."),
  changesDropped: counter(
    "changes_dropped",
    "Changes given up because too many waited for the registry.",
  ),
  registryAvailable: gauge("registry_available", "1 while the registry answers, else 0."),
  registryFailures: {
    ...counter(
      "registry_failures",
      "Calls that failed or took too long: publish, reconcile, heartbeat.",
    ),
    labels: ["operation"],
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

function counter(name: string, help: string): MetricDefinition & { kind: "counter" } {
  return { name: `inode_reporter_${name}`, help, kind: "counter", labels: [] };
}

function gauge(name: string, help: string): MetricDefinition & { kind: "gauge" } {
  return { name: `inode_reporter_${name}`, help, kind: "gauge", labels: [] };
}
