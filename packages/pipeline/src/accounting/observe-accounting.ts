import type { Meter, MetricDefinition } from "@inode-gateway/contract";
import type { Edge } from "../flow/edge.js";
import type {
  Accounting,
  CountedComponent,
  CountedGraph,
  CountedPipeline,
  IdentityAccount,
} from "./accounting.js";
import {
  acceptedItems,
  deliveredButRefusedItems,
  deliveredItems,
  heldItems,
  inFlightItems,
  pipelineAcceptedButRefusedItems,
  pipelineInFlightItems,
  pipelineItems,
  processorIncomingItems,
  processorOutgoingItems,
  unaccountedItems,
} from "./metrics.js";

/** The metrics that are terms of the identity; held and dropped items are shown per component. */
const IDENTITY_METRICS: readonly [MetricDefinition, keyof IdentityAccount & IdentityTerm][] = [
  [acceptedItems, "accepted"],
  [deliveredItems, "delivered"],
  [deliveredButRefusedItems, "deliveredButRefused"],
  [inFlightItems, "inFlight"],
  [unaccountedItems, "unaccounted"],
];

type IdentityTerm = "accepted" | "delivered" | "deliveredButRefused" | "inFlight" | "unaccounted";

/**
 * Shows the counts of a graph on the metrics page; they are read when the page is.
 *
 * @returns what ends each observation
 */
export function observeAccounting(
  meter: Meter,
  accounting: Accounting,
  { components, pipelines }: CountedGraph,
): (() => void)[] {
  return [
    ...pipelines.flatMap((pipeline) => observePipeline(meter, pipeline, accounting)),
    ...accounting.ends.flatMap((end) =>
      IDENTITY_METRICS.map(([definition, term]) =>
        meter.observe(definition, componentLabels(end), () => accounting.identity(end)[term]),
      ),
    ),
    ...components
      .filter(({ signal }) => signal !== undefined)
      .map((component) =>
        meter.observe(heldItems, componentLabels(component), () => component.tally.heldItems),
      ),
  ];
}

/** Labels of a component instance; instances of one processor in several pipelines count together. */
export function componentLabels({ id, kind, signal }: CountedComponent): Record<string, string> {
  return { component_kind: kind, component_id: id, otel_signal: signal ?? "" };
}

function observePipeline(
  meter: Meter,
  pipeline: CountedPipeline,
  accounting: Accounting,
): (() => void)[] {
  const { entrance, id, processorEdges, processors, signal } = pipeline;
  const items = (outcome: string, read: () => number) =>
    meter.observe(pipelineItems, { pipeline: id, outcome }, read);
  return [
    items("accepted", () => entrance.accepted),
    items("refused", () => entrance.refused),
    meter.observe(pipelineInFlightItems, { pipeline: id }, () => entrance.inFlight),
    meter.observe(pipelineAcceptedButRefusedItems, { pipeline: id }, () =>
      accounting.acceptedButRefused(id),
    ),
    ...processors.flatMap((processor, index) => {
      const labels = { processor: processor.id, otel_signal: signal };
      const incoming = processorEdges[index];
      const outgoing = processorEdges[index + 1] ?? lastStep(pipeline);
      return [
        meter.observe(processorIncomingItems, labels, () => incoming?.offered ?? 0),
        meter.observe(processorOutgoingItems, labels, () => outgoing?.offered ?? 0),
      ];
    }),
  ];
}

function lastStep({ ends, fanOut }: CountedPipeline): Pick<Edge, "offered"> | undefined {
  return fanOut ?? ends[0]?.edge;
}
