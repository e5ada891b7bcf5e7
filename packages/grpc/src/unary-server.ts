import type { CallAdmission, CallerFacts, MessageMemory } from "./call-admission.js";
import type { ConnectionFault } from "./http2-guard.js";
import type { Metadata } from "./metadata.js";
import type { PingPolicyOptions } from "./ping-policy.js";
import type { ServerTls } from "./tls.js";

/** One unary call as the server received it. */
export interface UnaryCall {
  /** Such as `/opentelemetry.proto.collector.trace.v1.TraceService/Export`. */
  readonly path: string;
  /** The request message, decompressed; the handler's own from now on. */
  readonly message: Uint8Array;
  /** Names are lower-case; without the transport's own headers. */
  readonly metadata: Metadata;
  /** Address of the caller: `127.0.0.1:53124`, `[::1]:53124`, or `unix:` and the path. */
  readonly peer: string;
  /** When the caller stops waiting, on the clock of `performance.now()`; `Infinity` without a deadline. */
  readonly deadlineMs: number;
  /** What `UnaryServerOptions.admit` found out about the caller. */
  readonly auth: CallerFacts | undefined;
}

/**
 * Answers one call with the response message's bytes.
 *
 * @throws GrpcStatusError to answer with that status; anything else becomes INTERNAL and is given to
 *   `UnaryServerOptions.onHandlerBug`
 */
export type UnaryHandler = (call: UnaryCall) => Promise<Uint8Array>;

/**
 * Calls at the same time on one connection unless configured: far above what one client has under
 * way, and a bound on what one connection can make a server hold.
 */
export const CONCURRENT_STREAMS_DEFAULT = 1_000;

/** How a server listens and what it takes. */
export interface UnaryServerOptions {
  /**
   * `host:port`, `[v6]:port`, `:port` for every address, or a path when `transport` is `unix`. Port 0
   * picks a free one; a host name with addresses of both families is IPv4.
   */
  readonly endpoint: string;
  readonly transport: "tcp" | "tcp4" | "tcp6" | "unix";
  readonly tls?: ServerTls | undefined;
  /** Largest request message after decompression; a larger one is answered RESOURCE_EXHAUSTED. */
  readonly maxReceiveMessageBytes: number;
  /** Calls at the same time on one connection, 1 to 2,147,483,647. Default `CONCURRENT_STREAMS_DEFAULT`. */
  readonly maxConcurrentStreams?: number | undefined;
  /** Connections at the same time; one more is closed as soon as it is accepted. Unset is no limit. */
  readonly maxConnections?: number | undefined;
  /** Time from a call's headers to the end of its message; then DEADLINE_EXCEEDED. Unset waits for ever. */
  readonly messageTimeoutMs?: number | undefined;
  readonly keepalive?: ServerKeepalive | undefined;
  /** How often clients may ping; one that does so more often is disconnected. Unset is no limit. */
  readonly pings?: PingPolicyOptions | undefined;
  /** Asked for each call of a method there is, before its message is kept. Unset lets in everything. */
  readonly admit?: CallAdmission | undefined;
  /** Asked for each message, before its bytes are kept. Unset is no limit. */
  readonly memory?: MessageMemory | undefined;
  /** Told about everything a handler throws that is no GrpcStatusError. Must not throw. */
  readonly onHandlerBug: (error: unknown, path: string) => void;
  /**
   * Told when a connection fails: a TLS handshake that came to nothing, a peer that speaks no HTTP/2,
   * a reset. Not told of connections that end in order. May be called often; must not throw.
   */
  readonly onConnectionError?: ((error: Error, peer: string) => void) | undefined;
  /** Told when a connection is closed, or not taken, because of a limit. Must not throw. */
  readonly onConnectionClosed?:
    | ((reason: ConnectionFault | "max_connections", peer: string) => void)
    | undefined;
  /** Told when a message did not arrive within `messageTimeoutMs`. Must not throw. */
  readonly onSlowMessage?: ((peer: string) => void) | undefined;
}

/** Times after which a connection is probed or closed; all in milliseconds, unset means never. */
export interface ServerKeepalive {
  readonly maxConnectionIdleMs?: number | undefined;
  readonly maxConnectionAgeMs?: number | undefined;
  readonly maxConnectionAgeGraceMs?: number | undefined;
  readonly timeMs?: number | undefined;
  readonly timeoutMs?: number | undefined;
}

/** A gRPC server for unary calls on bytes. */
export interface UnaryServer {
  /**
   * Takes the endpoint and calls from then on; a unix socket of a dead process is replaced.
   *
   * @throws Error that names the endpoint, with `code` EADDRINUSE, EACCES … when it cannot be taken
   */
  listen(): Promise<void>;
  /** `host:port` as bound, or `unix:` and the path; undefined before `listen`. */
  readonly address: string | undefined;
  /** Connections that are open now, with and without a finished handshake. */
  readonly connectionCount: number;
  /**
   * Presents and demands something else from the next handshake on; connections that exist go on.
   *
   * @throws Error when OpenSSL cannot use it, or the server is none over TLS; then nothing changes
   */
  replaceTls(tls: ServerTls): void;
  /**
   * Refuses new calls, waits for running ones until `deadlineMs` (`performance.now()`), then closes.
   * Running is a call until its handler has settled, even when its caller is gone. Safe twice, where
   * the first deadline counts, and without `listen`.
   */
  shutdown(deadlineMs: number): Promise<void>;
}
