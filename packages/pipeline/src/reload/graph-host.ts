import type { ComponentStatus, Extension, Host, PipelineOverview } from "@inode-gateway/contract";
import type { Graph } from "../graph/graph.js";

/** What is in force at the moment, also after a reload. */
export interface PresentState {
  statuses(): readonly ComponentStatus[];
  overviews(): readonly PipelineOverview[];
}

/**
 * The process as the components of one graph see it.
 *
 * An instance that a later graph takes over goes on with the extensions it started with: it is taken over
 * only while those it refers to are the same.
 */
export class GraphHost implements Host {
  readonly #extensions: ReadonlyMap<string, Extension>;
  readonly #present: PresentState;

  constructor({ extensions }: Graph, present: PresentState) {
    this.#extensions = new Map(extensions.map(({ component, id }) => [id, component]));
    this.#present = present;
  }

  extension(id: string): Extension | undefined {
    return this.#extensions.get(id);
  }

  componentStatuses(): readonly ComponentStatus[] {
    return this.#present.statuses();
  }

  pipelines(): readonly PipelineOverview[] {
    return this.#present.overviews();
  }
}
