import {
  createServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { createSecureServer } from "node:http2";
import type { Socket } from "node:net";
import { createSecureContext, Server as TlsServer } from "node:tls";
import {
  CONCURRENT_STREAMS_DEFAULT,
  HEADER_LIST_BYTES_MAX,
  type ServerTls,
} from "@inode-gateway/grpc";
import type { HttpConnections } from "./http-connections.js";
import { peerOf } from "./http-headers.js";

/** Finds connections whose other end has vanished; Go's listeners do the same. */
const TCP_KEEPALIVE_MS = 15_000;
/** Time a TLS handshake may take, as on gRPC; Node's own is two minutes. */
const HANDSHAKE_TIMEOUT_MS = 20_000;
/** Header fields of one HTTP/2 request; Node's own number, which includes the pseudo-headers. */
const HEADER_FIELDS_MAX = 128;
/** Flow-control window of an HTTP/2 stream unless told otherwise (RFC 9113, section 6.9.2). */
export const HTTP2_WINDOW_BYTES = 65_535;
/** How often Node looks for connections whose headers are late; bounds the error of that timeout. */
const CONNECTION_CHECK_MS_MAX = 5_000;
const CONNECTION_CHECK_MS_MIN = 100;

/** Takes one request; Node's own signature, for both HTTP versions. */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** How a server is made; of times, 0 means no limit. */
export interface HttpServerOptions {
  readonly tls: ServerTls | undefined;
  readonly headersTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly maxConnections: number;
  /** Told of every connection and request. */
  readonly connections: HttpConnections;
  readonly onTlsError: (error: Error, peer: string) => void;
}

/** Makes Node's server for HTTP/1.1, over TLS also for HTTP/2; nothing is opened. */
export function createHttpServer(handler: HttpHandler, options: HttpServerOptions): HttpServer {
  const { connections, tls } = options;
  const server =
    tls === undefined ? plainServer(handler, options) : tlsServer(handler, tls, options);
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    connections.requestBegan(request.socket);
    response.once("close", () => connections.requestEnded(request.socket));
  });
  server.on("tlsClientError", (error: Error, socket: Socket) => {
    options.onTlsError(error, peerOf(socket));
  });
  // A sender that asks first gets "100 Continue" only when its body will be read.
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    server.emit("request", request, response);
  });
  // Other expectations may be ignored (RFC 9110, section 10.1.1); Node would answer without a Status.
  server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    server.emit("request", request, response);
  });
  server.maxConnections = options.maxConnections;
  connections.follow(server, tls !== undefined);
  return server;
}

/**
 * Uses other TLS material from the next handshake on; connections that exist are not touched.
 *
 * @throws Error when OpenSSL cannot use it, or the server has no TLS; then nothing changes
 */
export function replaceHttpTls(server: HttpServer, tls: ServerTls): void {
  // The server of both HTTP versions is typed as one of plain HTTP here.
  const secured: unknown = server;
  if (!(secured instanceof TlsServer)) throw new Error("the listener does not run over TLS");
  const options = tlsOptions(tls);
  // Tried on the side: a server keeps half of what it is given when OpenSSL refuses the rest.
  createSecureContext(options);
  secured.setSecureContext(options);
}

function plainServer(handler: HttpHandler, options: HttpServerOptions): HttpServer {
  return createServer(http1Options(options), handler);
}

/** Node gives a server of both versions another type; everything used here they share. */
function tlsServer(handler: HttpHandler, tls: ServerTls, options: HttpServerOptions): HttpServer {
  const both = {
    ...tlsOptions(tls),
    ...http1Options(options),
    allowHTTP1: true,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    maxHeaderListPairs: HEADER_FIELDS_MAX,
    settings: {
      maxConcurrentStreams: CONCURRENT_STREAMS_DEFAULT,
      maxHeaderListSize: HEADER_LIST_BYTES_MAX,
    },
  };
  return createSecureServer(both, handler as never) as unknown as HttpServer;
}

function http1Options({ headersTimeoutMs, idleTimeoutMs }: HttpServerOptions) {
  return {
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEPALIVE_MS,
    maxHeaderSize: HEADER_LIST_BYTES_MAX,
    // Refused by the listener, with a Status.
    requireHostHeader: false,
    // Bodies have a timeout of our own, which HTTP/2 knows as well.
    requestTimeout: 0,
    headersTimeout: headersTimeoutMs,
    keepAliveTimeout: idleTimeoutMs,
    connectionsCheckingInterval: Math.min(
      CONNECTION_CHECK_MS_MAX,
      Math.max(CONNECTION_CHECK_MS_MIN, headersTimeoutMs / 4),
    ),
  };
}

function tlsOptions(tls: ServerTls) {
  return {
    cert: tls.cert,
    key: tls.key,
    ...(tls.clientCa === undefined
      ? {}
      : { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true }),
    minVersion: tls.minVersion ?? ("TLSv1.2" as const),
    ...(tls.maxVersion === undefined ? {} : { maxVersion: tls.maxVersion }),
    ...(tls.cipherSuites === undefined ? {} : { ciphers: tls.cipherSuites }),
    ...(tls.curves === undefined ? {} : { ecdhCurve: tls.curves }),
  };
}
