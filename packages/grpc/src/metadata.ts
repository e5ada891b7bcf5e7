/** Request or response metadata; names are lower-case, a name may have several values. */
export type Metadata = ReadonlyMap<string, readonly string[]>;
