import type { PipelineOverview } from "@inode-gateway/contract";
import type { Graph } from "../graph/graph.js";
import type { Accounting } from "./accounting.js";

/** The pipelines of a graph with their counts at this moment. */
export function pipelineOverviews(graph: Graph, accounting: Accounting): PipelineOverview[] {
  return graph.checked.pipelines.map(({ exporters, id, processors, receivers, signal }) => ({
    ...{ id, signal, receivers, processors, exporters },
    entrance: accounting.pipeline(id),
    identities: exporters.map((end) => {
      const kind = graph.checked.connectors.has(end) ? "connector" : "exporter";
      return accounting.identity({ kind, id: end, signal });
    }),
  }));
}
