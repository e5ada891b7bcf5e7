import type { Metadata } from "./metadata.js";
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
}

/**
 * Answers one call with the response message's bytes.
 *
 * @throws GrpcStatusError to answer with that status; anything else becomes INTERNAL and is given to
 *   `UnaryServerOptions.onHandlerBug`
 */
export type UnaryHandler = (call: UnaryCall) => Promise<Uint8Array>;

/** How a server listens and what it takes. */
export interface UnaryServerOptions {
  /** `host:port`, `[v6]:port`, or a path when `transport` is `unix`. Port 0 picks a free one. */
  readonly endpoint: string;
  readonly transport: "tcp" | "tcp4" | "tcp6" | "unix";
  readonly tls?: ServerTls | undefined;
  /** Largest request message after decompression; a larger one is answered RESOURCE_EXHAUSTED. */
  readonly maxReceiveMessageBytes: number;
  readonly maxConcurrentStreams?: number | undefined;
  readonly keepalive?: ServerKeepalive | undefined;
  /** Told about everything a handler throws that is no GrpcStatusError. */
  readonly onHandlerBug: (error: unknown, path: string) => void;
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
  /** @throws Error with `code` EADDRINUSE, EACCES … when the endpoint cannot be taken */
  listen(): Promise<void>;
  /** `host:port` as bound, or `unix:` and the path; undefined before `listen`. */
  readonly address: string | undefined;
  /** Refuses new calls, waits for running ones until `deadlineMs` (`performance.now()`), then closes. */
  shutdown(deadlineMs: number): Promise<void>;
}
