import type { createLogger, PrometheusMeter } from "@inode-gateway/telemetry";
import type { ReporterConfig } from "./reporter-config.js";

/** The process's own log, as the telemetry package makes it. */
export type Logger = ReturnType<typeof createLogger>;

/** Makes instruments; reading them is not the reporter's business. */
export type Meter = Pick<PrometheusMeter, "counter" | "gauge" | "histogram" | "observe">;

/** Time, as the reporter sees it. */
export interface Clock {
  /** Milliseconds on the monotonic clock. */
  nowMs(): number;
  /** Milliseconds since the Unix epoch. */
  unixMs(): number;
  /** Calls `callback` once after `delayMs`. Does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): { cancel(): void };
}

/** What code, not the user, passes to a reporter. */
export interface ReporterOptions {
  readonly config: ReporterConfig;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly clock: Clock;
  /** Stands in the node record, such as `0.1.0`. */
  readonly version: string;
}

/** Follows the containers of one node and keeps a registry equal to them. */
export interface Reporter {
  /**
   * Reads the node once and begins to follow it; resolves when the first walk is done.
   *
   * A registry that is away is no reason to reject: its changes are kept and published later.
   *
   * @throws Error when the boot ID or the cgroup file system cannot be read, naming the key
   */
  start(): Promise<void>;
  /**
   * Publishes what is pending and releases every watch and timer, by `deadlineMs` on the monotonic
   * clock. Safe twice and without `start`.
   */
  stop(deadlineMs: number): Promise<void>;
  /** How the reporter is now; a copy. */
  status(): ReporterStatus;
}

/** One moment of a reporter, for health checks and people. */
export interface ReporterStatus {
  readonly phase: "stopped" | "starting" | "running" | "stopping";
  /** Running, and the registry agrees with the node as far as the reporter knows. */
  readonly isReady: boolean;
  /** Why not, in words; undefined while ready. */
  readonly reason: string | undefined;
  readonly bootId: string | undefined;
  readonly hierarchy: "v2" | "hybrid" | "v1" | undefined;
  /** Containers that are published under their own ID. */
  readonly containers: number;
  /** Directories that are published, descendants of containers' directories included. */
  readonly mappings: number;
  /** Directories known, containers or not. */
  readonly directories: number;
  readonly watches: number;
  /** Directories that only sweeps look at, for lack of inotify watches. */
  readonly unwatchedDirectories: number;
  /** Container IDs seen at more than one place now. */
  readonly contestedContainerIds: number;
  readonly registry: {
    readonly isAvailable: boolean;
    readonly lastError: string | undefined;
    /** Unix time of the last change or comparison the registry acknowledged. */
    readonly lastAcknowledgedUnixMs: number | undefined;
    readonly pendingChanges: number;
  };
}
