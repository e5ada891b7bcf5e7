import type { BatchOrigin } from "@inode-gateway/contract";

/** What tells the requests of one group from those of another, by the values of some metadata. */
export interface MetadataGroup {
  /** The same for requests of the same group; empty without names to look at. */
  readonly key: string;
  /** The metadata that all requests of the group have in common; never modified. */
  readonly metadata: BatchOrigin["metadata"];
}

/** Tells which requests may be merged: those with the same values of the metadata it looks at. */
export class MetadataKey {
  readonly #names: readonly string[];

  /** @param names names of metadata, in any case; none puts all requests into one group */
  constructor(names: readonly string[]) {
    this.#names = names.map((name) => name.toLowerCase());
  }

  /** The names it looks at, lower-case. */
  get names(): ReadonlySet<string> {
    return new Set(this.#names);
  }

  /** Whether there is anything to look at. */
  get isNeeded(): boolean {
    return this.#names.length > 0;
  }

  /** The group of a request with this metadata. */
  groupOf(metadata: BatchOrigin["metadata"]): MetadataGroup {
    if (!this.isNeeded) return theOnlyGroup;
    const values: (readonly string[])[] = [];
    const kept = new Map<string, readonly string[]>();
    for (const name of this.#names) {
      const value = metadata.get(name) ?? [];
      values.push(value);
      if (value.length > 0) kept.set(name, value);
    }
    return { key: JSON.stringify(values), metadata: kept };
  }
}

const theOnlyGroup: MetadataGroup = { key: "", metadata: new Map() };
