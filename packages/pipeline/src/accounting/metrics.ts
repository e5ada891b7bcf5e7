import type { MetricDefinition } from "@inode-gateway/contract";

/** Labels of one end of a pipeline: an exporter or a connector, for one signal. */
const END_LABELS = ["component_kind", "component_id", "otel_signal"] as const;

export const processorIncomingItems: MetricDefinition = {
  name: "otelcol_processor_incoming_items",
  help: "Items that were offered to a processor, in all pipelines of a signal.",
  kind: "counter",
  labels: ["processor", "otel_signal"],
};

export const processorOutgoingItems: MetricDefinition = {
  name: "otelcol_processor_outgoing_items",
  help: "Items that a processor offered to what follows it, in all pipelines of a signal.",
  kind: "counter",
  labels: ["processor", "otel_signal"],
};

export const pipelineItems: MetricDefinition = {
  name: "inode_gateway_pipeline_items",
  help: "Items that a pipeline was offered and accepted (it was acknowledged) or refused.",
  kind: "counter",
  labels: ["pipeline", "outcome"],
};

export const pipelineInFlightItems: MetricDefinition = {
  name: "inode_gateway_pipeline_in_flight_items",
  help: "Items that a pipeline was offered and has not answered yet.",
  kind: "gauge",
  labels: ["pipeline"],
};

export const pipelineAcceptedButRefusedItems: MetricDefinition = {
  name: "inode_gateway_pipeline_accepted_but_refused_items",
  help: "Accepted items whose sender was refused by another pipeline of the receiver and has not come back.",
  kind: "gauge",
  labels: ["pipeline"],
};

export const acceptedItems: MetricDefinition = {
  name: "inode_gateway_accepted_items",
  help: "Items that the pipelines before an exporter or connector have taken in: accepted or in flight.",
  kind: "counter",
  labels: END_LABELS,
};

export const deliveredItems: MetricDefinition = {
  name: "inode_gateway_delivered_items",
  help: "Items that have left through an exporter or connector.",
  kind: "counter",
  labels: END_LABELS,
};

export const deliveredButRefusedItems: MetricDefinition = {
  name: "inode_gateway_delivered_but_refused_items",
  help: "Items it took while another exporter of its pipeline refused, and no retry has gone there yet.",
  kind: "gauge",
  labels: END_LABELS,
};

export const heldItems: MetricDefinition = {
  name: "inode_gateway_held_items",
  help: "Acknowledged items that a component keeps for now: queued or batched.",
  kind: "gauge",
  labels: END_LABELS,
};

export const droppedItems: MetricDefinition = {
  name: "inode_gateway_dropped_items",
  help: "Acknowledged items that ended in a component without being delivered, by reason.",
  kind: "counter",
  labels: [...END_LABELS, "reason"],
};

export const recoveredItems: MetricDefinition = {
  name: "inode_gateway_recovered_items",
  help: "Items that a component found on disk at a start, acknowledged by whoever left them there.",
  kind: "counter",
  labels: END_LABELS,
};

export const persistedItems: MetricDefinition = {
  name: "inode_gateway_persisted_items",
  help: "Items that a component left on disk when it stopped, for the next start to find.",
  kind: "counter",
  labels: END_LABELS,
};

export const inFlightItems: MetricDefinition = {
  name: "inode_gateway_in_flight_items",
  help: "Items on their way to an exporter or connector, neither delivered, dropped nor held.",
  kind: "gauge",
  labels: END_LABELS,
};

export const unaccountedItems: MetricDefinition = {
  name: "inode_gateway_unaccounted_items",
  help: "Items that the accounting identity cannot explain; anything but 0 is a bug.",
  kind: "gauge",
  labels: END_LABELS,
};

export const componentBugs: MetricDefinition = {
  name: "inode_gateway_component_bugs",
  help: "Errors of a component that no component may raise: bugs.",
  kind: "counter",
  labels: ["component_kind", "component_id"],
};

/** Every metric of the engine, for the metrics table in the docs. */
export const pipelineMetrics: readonly MetricDefinition[] = [
  processorIncomingItems,
  processorOutgoingItems,
  pipelineItems,
  pipelineInFlightItems,
  pipelineAcceptedButRefusedItems,
  acceptedItems,
  deliveredItems,
  deliveredButRefusedItems,
  heldItems,
  droppedItems,
  recoveredItems,
  persistedItems,
  inFlightItems,
  unaccountedItems,
  componentBugs,
];
