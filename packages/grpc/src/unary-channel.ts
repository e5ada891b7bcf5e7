import type { Metadata } from "./metadata.js";
import type { ClientTls } from "./tls.js";

/** Where a channel connects to and how. */
export interface UnaryChannelOptions {
  /** `host:port`, `dns:///host:port`, `unix:///path`; a scheme http or https was taken off by the caller. */
  readonly endpoint: string;
  /** Absent means plaintext. */
  readonly tls?: ClientTls | undefined;
  readonly authority?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly loadBalancing?: "round_robin" | "pick_first" | undefined;
  readonly maxReceiveMessageBytes?: number | undefined;
  readonly keepalive?:
    | { readonly timeMs: number; readonly timeoutMs: number; readonly permitWithoutStream: boolean }
    | undefined;
}

/** What one call carries. */
export interface UnaryCallOptions {
  /** On the clock of `performance.now()`. */
  readonly deadlineMs: number;
  readonly metadata?: Metadata | undefined;
  readonly compression?: "gzip" | "none" | undefined;
  /** Wait for a connection until the deadline instead of failing fast. Default false. */
  readonly waitForReady?: boolean | undefined;
}

/** A gRPC client for unary calls on bytes, to one destination. */
export interface UnaryChannel {
  /** Starts connecting without waiting for it. */
  connect(): void;
  /**
   * Sends one message, given in consecutive chunks, and resolves with the response message.
   *
   * @throws GrpcStatusError with the status of the answer, or the one gRPC prescribes when none came:
   *   UNAVAILABLE without a connection, DEADLINE_EXCEEDED after the deadline
   */
  call(
    path: string,
    message: readonly Uint8Array[],
    options: UnaryCallOptions,
  ): Promise<Uint8Array>;
  /** Lets running calls end until `deadlineMs`, then closes the connections. Safe twice. */
  close(deadlineMs: number): Promise<void>;
}
