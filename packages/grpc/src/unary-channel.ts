import type { Metadata } from "./metadata.js";
import type { ClientTls } from "./tls.js";

/** How request messages are compressed; zstd only where Node has it, snappy in its framing format. */
export type MessageCompression = "gzip" | "snappy" | "zstd" | "none";

/** Where a channel connects to and how. */
export interface UnaryChannelOptions {
  /** `host:port`, `dns:///host:port`, `unix:///path`; a scheme http or https was taken off by the caller. */
  readonly endpoint: string;
  /** Absent means plaintext. */
  readonly tls?: ClientTls | undefined;
  /** What `:authority` says instead of the endpoint. */
  readonly authority?: string | undefined;
  /** Put before the transport's own `user-agent`. */
  readonly userAgent?: string | undefined;
  /** Which of the endpoint's addresses a call takes. Default `pick_first`: one for all. */
  readonly loadBalancing?: "round_robin" | "pick_first" | undefined;
  /** Largest response message after decompression. Default 4 MiB, which OTLP recommends. */
  readonly maxReceiveMessageBytes?: number | undefined;
  /** How messages are compressed where a call does not say. Default `none`. */
  readonly compression?: MessageCompression | undefined;
  readonly keepalive?:
    | { readonly timeMs: number; readonly timeoutMs: number; readonly permitWithoutStream: boolean }
    | undefined;
}

/** What one call carries. */
export interface UnaryCallOptions {
  /** On the clock of `performance.now()`. */
  readonly deadlineMs: number;
  readonly metadata?: Metadata | undefined;
  /** Default: the channel's. */
  readonly compression?: MessageCompression | undefined;
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
   *   UNAVAILABLE without a connection or after `close`, DEADLINE_EXCEEDED after the deadline,
   *   CANCELLED when `close` cut it short, INTERNAL for metadata that cannot be sent
   */
  call(
    path: string,
    message: readonly Uint8Array[],
    options: UnaryCallOptions,
  ): Promise<Uint8Array>;
  /**
   * Trusts and presents something else in every handshake from now on; connections that exist, and
   * the calls on them, go on. Which server name is asked for stays as it was.
   *
   * @throws Error when OpenSSL cannot use it, or the channel is plaintext; then nothing changes
   */
  replaceTls(tls: ClientTls): void;
  /** Lets running calls end until `deadlineMs`, then closes the connections. Safe twice. */
  close(deadlineMs: number): Promise<void>;
}
