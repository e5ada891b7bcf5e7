import type { MetricDefinition } from "@inode-gateway/contract";

/** Conditions of routes that had no answer. */
export const conditionErrors: MetricDefinition = {
  name: "inode_gateway_routing_condition_errors",
  help: "Number of times the condition of a route had no answer.",
  kind: "counter",
  labels: ["connector"],
};

/** Everything `routing` counts. */
export const routingMetrics: readonly MetricDefinition[] = [conditionErrors];
