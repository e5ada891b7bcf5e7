import type { Signal } from "@inode-gateway/otlp";
import type { ComponentKind, ComponentState } from "./component.js";
import type { Logger } from "./logger.js";
import type { Meter } from "./meter.js";
import type { Tracer } from "./tracer.js";

/** What code, not the user, passes to a component when it is made. */
export interface ComponentSettings {
  /** The whole ID from the configuration, such as `otlp_grpc/backend`. */
  readonly id: string;
  readonly kind: ComponentKind;
  /** The signal of a processor, exporter or connector instance; undefined for the other kinds. */
  readonly signal?: Signal | undefined;
  /** The pipeline of a processor instance; undefined for everything shared between pipelines. */
  readonly pipeline?: string | undefined;
  /** Carries the component's ID already. */
  readonly logger: Logger;
  readonly meter: Meter;
  readonly clock: Clock;
  /** Uniform in [0, 1); the only source of randomness in a pipeline, so that tests can fix it. */
  readonly random: () => number;
  readonly ledger: Ledger;
  readonly build: BuildInfo;
  /** Follows requests; undefined while the process sends no traces of its own, which is the default. */
  readonly tracer?: Tracer | undefined;
  /** Tells the process how the component is; shown by health checks. */
  reportState(state: ComponentState, reason?: string): void;
  /**
   * Lets a promise run without anybody waiting for it; a rejection is logged under `name` and counted
   * as a bug. The only place in the project where a promise may be let go.
   */
  runInBackground(name: string, promise: Promise<unknown>): void;
}

/** Name and version of the running program. */
export interface BuildInfo {
  readonly command: string;
  readonly version: string;
}

/** Time, as the pipeline sees it. */
export interface Clock {
  /** Milliseconds on the monotonic clock, with fractions. */
  nowMs(): number;
  /** Milliseconds since the Unix epoch. */
  unixMs(): number;
  /** Calls `callback` once after `delayMs`. Does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): Timer;
}

/** A pending call of {@link Clock.setTimer}. */
export interface Timer {
  /** Safe to call at any time, also after the timer has fired. */
  cancel(): void;
}

/**
 * A component's own part of the accounting identity
 * accepted + recovered = delivered + dropped{reason} + persisted + queued + in flight.
 *
 * The engine counts what enters and leaves a component; only the component knows what it keeps and
 * what it gives up.
 */
export interface Ledger {
  /**
   * `items` that were acknowledged upstream, or are about to be, are kept here for now: queued or
   * batched. What waits while its sender waits too is in flight, which the engine counts.
   */
  held(items: number): void;
  /**
   * `items` that were held have left: delivered, reported to `dropped` as well, or being passed on in
   * this very tick.
   */
  released(items: number): void;
  /**
   * `items` end here on purpose or by failure, and their sender is told that all is well. What is
   * refused to the sender is not dropped: it will be sent again. `reason` is one of a small fixed
   * set, snake_case.
   */
  dropped(items: number, reason: string): void;
  /** `items` were found on disk at start, acknowledged by an earlier process: they are held from now on. */
  recovered(items: number): void;
  /** `items` that were held stay on disk for the next process, which will find them there. */
  persisted(items: number): void;
}
