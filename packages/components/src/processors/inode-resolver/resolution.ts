import type { CachedResource } from "../../resource-cache/resource-cache.js";
import type { Climb, UnresolvedReason } from "./ladder/ladder.js";
import type { Tally } from "./metrics.js";
import type { ResourceIdentity } from "./resource-identity.js";

/** What became of a Resource, as far as it is counted and remembered. */
export interface Resolution {
  readonly tally: Tally;
  readonly hasConflict: boolean;
  /** Undefined when resolved. */
  readonly reason: UnresolvedReason | undefined;
  /** How often the registry was asked in vain; spaces out the next questions. */
  readonly misses: number;
  /** Whether a batch has waited for this Resource already: nobody waits for it twice. */
  readonly wasHeld: boolean;
}

/** A Resource whose result is known. */
export type SettledResource = CachedResource<Resolution>;

/** A Resource that the registry must be asked about. */
export interface PendingResource {
  /** Its place among the batch's Resources. */
  readonly index: number;
  /** Not always the batch's own: a Resource that is written in several fields is joined first. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly identity: ResourceIdentity;
  /** What an expired cache entry remembers of it. */
  readonly previous: Resolution | undefined;
  climb: Climb | undefined;
  hold: "none" | "held" | "overflowed";
}
