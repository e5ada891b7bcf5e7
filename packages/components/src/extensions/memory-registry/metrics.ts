import type { MetricDefinition } from "@inode-gateway/contract";
import { registryMetrics } from "../../capabilities/registry-metrics.js";

/** Versions of the file that were seen. */
export const fileLoads: MetricDefinition = {
  name: "inode_gateway_registry_file_loads",
  help: "Versions of the mapping file that were read, by result: loaded or refused.",
  kind: "counter",
  labels: ["extension", "result"],
};

/** What the file gave. */
export const fileMappings: MetricDefinition = {
  name: "inode_gateway_registry_file_mappings",
  help: "Mappings in the version of the file that is in use.",
  kind: "gauge",
  labels: ["extension"],
};

/** Everything `memory_registry` counts. */
export const memoryRegistryMetrics: readonly MetricDefinition[] = [
  ...registryMetrics,
  fileLoads,
  fileMappings,
];
