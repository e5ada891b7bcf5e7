import type { MetricDefinition } from "@inode-gateway/contract";

export const configurationReloads: MetricDefinition = {
  name: "inode_gateway_configuration_reloads",
  help: "Requests to load the configuration again, by what became of them.",
  kind: "counter",
  labels: ["outcome"],
};

export const configurationTimestamp: MetricDefinition = {
  name: "inode_gateway_configuration_reload_timestamp_seconds",
  help: "When the configuration in force was loaded, or last found to be unchanged, in Unix time.",
  kind: "gauge",
  labels: [],
};

/** Every metric of the executable itself about its configuration. */
export const reloadMetrics: readonly MetricDefinition[] = [
  configurationReloads,
  configurationTimestamp,
];
