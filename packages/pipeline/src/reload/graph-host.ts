import type { ComponentStatus, Extension, Host } from "@inode-gateway/contract";
import type { Graph } from "../graph/graph.js";

/** Gives the states of all components that are in force at the moment. */
export type StatusSource = () => readonly ComponentStatus[];

/**
 * The process as the components of one graph see it.
 *
 * An instance that a later graph takes over goes on with the extensions it started with: it is taken over
 * only while those it refers to are the same.
 */
export class GraphHost implements Host {
  readonly #extensions: ReadonlyMap<string, Extension>;
  readonly #statuses: StatusSource;

  constructor({ extensions }: Graph, statuses: StatusSource) {
    this.#extensions = new Map(extensions.map(({ component, id }) => [id, component]));
    this.#statuses = statuses;
  }

  extension(id: string): Extension | undefined {
    return this.#extensions.get(id);
  }

  componentStatuses(): readonly ComponentStatus[] {
    return this.#statuses();
  }
}
