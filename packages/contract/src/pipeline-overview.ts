import type { Signal } from "@inode-gateway/otlp";

/** One pipeline in force, with its counts at one moment: what status pages show. */
export interface PipelineOverview {
  /** Such as `traces/backend`. */
  readonly id: string;
  readonly signal: Signal;
  /** IDs of receivers and connectors. */
  readonly receivers: readonly string[];
  /** IDs in the order of flow. */
  readonly processors: readonly string[];
  /** IDs of exporters and connectors. */
  readonly exporters: readonly string[];
  /** Items at its entrance: offered = accepted + refused + inFlight. */
  readonly entrance: EntranceItems;
  /** The accounting identity of each exporter and connector it ends in. */
  readonly identities: readonly EndItems[];
}

/** Items that came to the entrance of a pipeline, since the process began. */
export interface EntranceItems {
  readonly offered: number;
  readonly accepted: number;
  readonly refused: number;
  readonly inFlight: number;
}

/**
 * The accounting identity of an exporter or connector, over all pipelines of its signal:
 *
 * accepted + recovered + deliveredButRefused + deliveredEarly
 *   = delivered + dropped + persisted + held + inFlight + unaccounted
 */
export interface EndItems {
  readonly id: string;
  readonly accepted: number;
  readonly recovered: number;
  readonly deliveredButRefused: number;
  readonly deliveredEarly: number;
  readonly delivered: number;
  readonly dropped: number;
  readonly persisted: number;
  readonly held: number;
  readonly inFlight: number;
  /** Anything but 0 is a bug. */
  readonly unaccounted: number;
}
