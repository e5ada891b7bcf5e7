import type { ComponentKind, Signal } from "@inode-gateway/contract";

/** Items at the entrance of one pipeline: offered = accepted + refused + inFlight. */
export interface PipelineAccount {
  readonly pipeline: string;
  readonly signal: Signal;
  readonly offered: number;
  readonly accepted: number;
  readonly refused: number;
  readonly inFlight: number;
  /**
   * Part of `accepted` whose sender was refused, because another pipeline of the receiver refused, and
   * that no retry has brought there yet.
   */
  readonly acceptedButRefused: number;
}

/** Items that one component keeps or has given up, its instances of before a reload included. */
export interface ComponentAccount {
  readonly kind: ComponentKind;
  readonly id: string;
  readonly signal: Signal | undefined;
  readonly pipeline: string | undefined;
  readonly held: number;
  /** By reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Found on disk at a start. */
  readonly recovered: number;
  /** Left on disk at a stop, for the next start to find. */
  readonly persisted: number;
}

/**
 * The terms of the accounting identity, in items:
 *
 * accepted + recovered + deliveredButRefused + deliveredEarly
 *   = delivered + dropped + persisted + held + inFlight + unaccounted
 */
export interface IdentityTerms {
  /** Taken in by its pipelines: acknowledged to the sender, or not answered yet. */
  readonly accepted: number;
  /** Found on disk when it started, acknowledged by an earlier process or before a reload. */
  readonly recovered: number;
  /**
   * Taken here while another end of the same pipeline refused, so that the sender was refused; less
   * what a retry has brought to the others since, without coming here again.
   */
  readonly deliveredButRefused: number;
  /** Taken here while another end has not answered and a processor still counts them as held. */
  readonly deliveredEarly: number;
  /** Taken here, not held, not dropped and not left on disk. */
  readonly delivered: number;
  /** Here and in the processors on the way. */
  readonly dropped: number;
  /** `dropped` by reason. */
  readonly dropReasons: Readonly<Record<string, number>>;
  /** Left on disk for the next process, or for the instance that follows in a reload. */
  readonly persisted: number;
  /** Here and in the processors on the way. */
  readonly held: number;
  readonly inFlight: number;
  /** What batches under way cannot explain; anything but 0 is a bug of some component. */
  readonly unaccounted: number;
}

/** The accounting identity of one exporter (or connector) and one signal, over all its pipelines. */
export interface IdentityAccount extends IdentityTerms {
  readonly kind: ComponentKind;
  readonly id: string;
  readonly signal: Signal;
}

/** All counts at one moment, since the process began, over all reloads. */
export interface AccountingSnapshot {
  readonly pipelines: readonly PipelineAccount[];
  readonly components: readonly ComponentAccount[];
  readonly identities: readonly IdentityAccount[];
}
