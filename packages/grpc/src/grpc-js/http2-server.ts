import type {
  Http2Server,
  IncomingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import { type Server, ServerCredentials } from "@grpc/grpc-js";

/** What a request looks like before gRPC has looked at it; `rawHeaders` are names and values in turn. */
type StreamListener = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
) => void;

/** The HTTP/2 server below a grpc-js server, made for connections that somebody else accepts. */
export interface Http2ServerAccess {
  /** Takes an accepted connection; its session is announced before this returns. */
  inject(socket: Socket): void;
  onSession(listener: (session: ServerHttp2Session) => void): void;
  onSessionError(listener: (error: Error, session: ServerHttp2Session) => void): void;
  /** Gives every request to `listener` instead of grpc-js; `forward` hands one on to it. */
  intercept(listener: StreamListener): void;
  forward(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void;
}

/**
 * Opens the HTTP/2 server that a grpc-js server keeps to itself.
 *
 * The only place that leans on how grpc-js is built inside (`Server.http2Servers`, one `stream`
 * listener on each), because none of this can be had from its options: flow-control windows on the
 * server's side, a 405 for GET, `grpc-accept-encoding` in a refusal, timeouts above 24 days, raw
 * headers. The version is pinned, and the suite fails when one of them is lost.
 *
 * @throws TypeError when grpc-js is built differently
 */
export function openHttp2Server(server: Server): Http2ServerAccess {
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const servers = [...server["http2Servers"].keys()];
  const http2Server = servers[0] as Http2Server | undefined;
  const [grpcListener, ...others] = http2Server?.listeners("stream") ?? [];
  if (http2Server === undefined || grpcListener === undefined || others.length > 0) {
    throw new TypeError("this version of grpc-js does not keep its HTTP/2 server where expected");
  }
  http2Server.removeAllListeners("stream");
  return {
    inject: (socket) => injector.injectConnection(socket),
    onSession: (listener) => void http2Server.on("session", listener),
    onSessionError: (listener) => void http2Server.on("sessionError", listener),
    intercept: (listener) => void http2Server.on("stream", withRawHeaders(listener)),
    forward: (stream, headers) => void grpcListener(stream, headers),
  };
}

// Node gives a fourth argument that its types for version 20 do not know of.
function withRawHeaders(listener: StreamListener) {
  return (
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    _flags: number,
    rawHeaders: readonly string[] = [],
  ): void => listener(stream, headers, rawHeaders);
}
