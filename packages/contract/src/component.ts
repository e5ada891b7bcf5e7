import type { Signal } from "@inode-gateway/otlp";
import type { Batch } from "./batch.js";
import type { PermanentError, RetryableError } from "./errors.js";
import type { PipelineOverview } from "./pipeline-overview.js";

/** Anything that has a life: acquires in `start`, releases in `shutdown`. */
export interface Component {
  /**
   * Acquires what the component needs: sockets, files, timers.
   *
   * Resolves when it is ready to work. A rejection stops the process at start-up, so a destination
   * that is merely away is no reason to reject: log it, report it, and go on trying.
   */
  start(host: Host): Promise<void>;
  /**
   * Flushes what it holds and releases everything, by `deadlineMs` on the monotonic clock.
   *
   * Safe when called twice and without `start`. What cannot be flushed in time is reported to
   * `Ledger.dropped` with the reason `shutdown`.
   */
  shutdown(deadlineMs: number): Promise<void>;
}

/** Takes batches: a pipeline, a processor, an exporter. */
export interface Consumer {
  /**
   * Takes over one batch. Resolving means delivered or safely queued: the sender may be acknowledged.
   *
   * @throws PermanentError when the same batch would always fail
   * @throws RetryableError when it may succeed later; anything else thrown is a bug of ours
   */
  consume(batch: Batch): Promise<void>;
  /**
   * Why this consumer would refuse what comes now; undefined when it would take it, as far as it can
   * tell at once. Absent means it never knows beforehand.
   *
   * A receiver asks without a batch before it reads a request, so that overload costs nobody a
   * decompression; a fan-out asks with the batch before any branch gets it, so that no branch has
   * what another refuses. Who gives an error has counted the refusal: the caller must not come with
   * this batch.
   */
  refusal?(batch?: Batch): PermanentError | RetryableError | undefined;
}

/** A component that stands between consumers. */
export interface Processor extends Component, Consumer {}

/** A component that takes telemetry out of the process. */
export interface Exporter extends Component, Consumer {}

/** The end of some pipelines and the beginning of others. */
export interface Connector extends Component, Consumer {}

/** A component beside the pipelines; `ready` and `notReady` bracket the time in which they all run. */
export interface Extension extends Component {
  /** Every pipeline is running. */
  ready?(): void;
  /** The process begins to stop; called before any receiver stops. */
  notReady?(): void;
}

/** What a component may ask of the process it runs in. Valid from `start` to the end of `shutdown`. */
export interface Host {
  /** The running extension with this ID, or undefined when `service::extensions` does not list it. */
  extension(id: string): Extension | undefined;
  /** The current status of every component, for health checks; the array is a copy. */
  componentStatuses(): readonly ComponentStatus[];
  /**
   * The pipelines in force with their counts, for status pages. Absent where no pipelines run, such as on
   * the command line.
   */
  pipelines?(): readonly PipelineOverview[];
}

/** States of a component, as in the Collector's component status reporting. */
export type ComponentState =
  | "starting"
  | "ok"
  | "recoverable_error"
  | "permanent_error"
  | "fatal_error"
  | "stopping"
  | "stopped";

/** One component's state at one moment. */
export interface ComponentStatus {
  readonly kind: ComponentKind;
  readonly id: string;
  /** The pipeline of a processor, such as `traces/backend`; undefined for everything shared. */
  readonly pipeline?: string | undefined;
  /** The signal of a processor, exporter or connector instance; undefined for the other kinds. */
  readonly signal?: Signal | undefined;
  readonly state: ComponentState;
  /** What is wrong, for a person; undefined in the good states. */
  readonly reason?: string | undefined;
  /** When the state began, Unix time. */
  readonly sinceUnixMs: number;
}

/** The five kinds of components a configuration has. */
export type ComponentKind = "receiver" | "processor" | "exporter" | "connector" | "extension";
