import type { ComponentStatus, Extension, Host } from "@inode-gateway/contract";

/** A host with the extensions and statuses that a test gives it. */
export class TestHost implements Host {
  readonly #extensions: ReadonlyMap<string, Extension>;
  /** What `componentStatuses` answers; a test may change it. */
  statuses: readonly ComponentStatus[] = [];

  constructor(extensions: Readonly<Record<string, Extension>> = {}) {
    this.#extensions = new Map(Object.entries(extensions));
  }

  extension(id: string): Extension | undefined {
    return this.#extensions.get(id);
  }

  componentStatuses(): readonly ComponentStatus[] {
    return [...this.statuses];
  }
}
