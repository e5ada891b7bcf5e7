import { createServer, type Server, type Socket } from "node:net";
import {
  createSecureContext,
  createServer as createTlsServer,
  type TlsOptions,
  Server as TlsServer,
} from "node:tls";
import { bindServer, formatHostPort } from "./bind-server.js";
import type { ServerTls } from "./tls.js";
import { tlsMaterialError } from "./tls-material-error.js";
import type { UnaryServerOptions } from "./unary-server.js";

/** Time a TLS handshake may take; a peer that needs more holds a socket for nothing. */
export const HANDSHAKE_TIMEOUT_MS = 20_000;

/** How a listener hands over what it accepts. */
export interface ListenerSettings
  extends Pick<UnaryServerOptions, "endpoint" | "transport" | "tls" | "maxConnections"> {
  /** Called with each connection, after its TLS handshake; the socket is the receiver's then. */
  readonly onConnection: (socket: Socket, peer: string) => void;
  /** Called when a handshake or a connection fails before or after it was handed over. */
  readonly onError: (error: Error, peer: string) => void;
  /** Called when a connection above `maxConnections` was closed. */
  readonly onRefused: (peer: string) => void;
}

/** A listening endpoint: takes connections over TCP, TLS or a unix socket, and can end them all. */
export class Listener {
  readonly #settings: ListenerSettings;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #address: string | undefined;

  constructor(settings: ListenerSettings) {
    this.#settings = settings;
  }

  /** `host:port` as bound, or `unix:` and the path; undefined before `listen`. */
  get address(): string | undefined {
    return this.#address;
  }

  /**
   * Starts listening. A unix socket that a dead process left behind is replaced.
   *
   * @throws Error that names the endpoint, with the `code` of the system (EADDRINUSE, EACCES …)
   */
  async listen(): Promise<void> {
    const { endpoint, transport, tls } = this.#settings;
    try {
      const server = tls === undefined ? this.#createPlain() : this.#createTls(tls);
      this.#server = server;
      this.#limitConnections(server);
      this.#address = await bindServer(server, endpoint, transport);
    } catch (error) {
      this.#server = undefined;
      const reason = error instanceof Error ? error.message : String(error);
      const code = error instanceof Error && "code" in error ? { code: error.code } : {};
      const message = `cannot listen on \`${endpoint}\` (${transport}): ${reason}`;
      throw Object.assign(new Error(message, { cause: error }), code);
    }
  }

  /**
   * Uses other TLS material from the next handshake on; connections that exist are not touched.
   *
   * @throws Error when OpenSSL cannot use it, or the listener has no TLS; then nothing changes
   */
  replaceTls(tls: ServerTls): void {
    const server = this.#server;
    if (!(server instanceof TlsServer)) throw new Error("the listener does not run over TLS");
    const options = tlsOptions(tls);
    try {
      // Tried on the side: a server keeps half of what it is given when OpenSSL refuses the rest.
      createSecureContext(options);
    } catch (error) {
      throw tlsMaterialError(error);
    }
    server.setSecureContext(options);
  }

  /** Connections that are open now. */
  get connectionCount(): number {
    return this.#sockets.size;
  }

  /** Takes no further connections. The file of a unix socket is gone when this returns. */
  close(): void {
    if (this.#server?.listening === true) this.#server.close();
  }

  /** Ends every connection at once, and resolves when all are gone. */
  async destroyConnections(): Promise<void> {
    const closed = [...this.#sockets].map((socket) => {
      const gone = new Promise<void>((resolve) => socket.once("close", () => resolve()));
      socket.destroy();
      return gone;
    });
    await Promise.all(closed);
  }

  #limitConnections(server: Server): void {
    const { maxConnections, onRefused, transport } = this.#settings;
    if (maxConnections === undefined) return;
    server.maxConnections = maxConnections;
    server.on("drop", ({ remoteAddress = "unknown", remotePort = 0 } = {}) => {
      onRefused(transport === "unix" ? "unix:" : formatHostPort(remoteAddress, remotePort));
    });
  }

  #createPlain(): Server {
    const server = createServer({ noDelay: true }, (socket) => this.#handOver(socket));
    return server.on("connection", (socket) => this.#track(socket));
  }

  #createTls(tls: ServerTls): Server {
    const server = tlsServer(tls);
    server.on("secureConnection", (socket) => this.#handOver(socket));
    server.on("tlsClientError", (error, socket) => {
      this.#settings.onError(error, this.#peerOf(socket));
      socket.destroy();
    });
    return server.on("connection", (socket) => this.#track(socket.setNoDelay(true)));
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  }

  #handOver(socket: Socket): void {
    const peer = this.#peerOf(socket);
    socket.on("error", (error) => this.#settings.onError(error, peer));
    if (this.#server?.listening !== true) socket.destroy();
    else this.#settings.onConnection(socket, peer);
  }

  #peerOf(socket: Socket): string {
    if (this.#settings.transport === "unix") return this.#address ?? "unix:";
    const { remoteAddress = "unknown", remotePort = 0 } = socket;
    // An IPv4 peer on a dual-stack socket is the same peer as on an IPv4 one.
    return formatHostPort(remoteAddress.replace(/^::ffff:(?=\d+\.)/, ""), remotePort);
  }
}

function tlsServer(tls: ServerTls): TlsServer {
  try {
    return createTlsServer(tlsOptions(tls));
  } catch (error) {
    throw tlsMaterialError(error);
  }
}

function tlsOptions(tls: ServerTls): TlsOptions {
  const { cert, key, clientCa, curves, minVersion = "TLSv1.2", maxVersion, cipherSuites } = tls;
  const isClientRequired = clientCa !== undefined;
  return {
    cert,
    key,
    minVersion,
    ALPNProtocols: ["h2"],
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    requestCert: isClientRequired,
    rejectUnauthorized: isClientRequired,
    ...(isClientRequired && { ca: clientCa }),
    ...(maxVersion !== undefined && { maxVersion }),
    ...(cipherSuites !== undefined && { ciphers: cipherSuites }),
    ...(curves !== undefined && { ecdhCurve: curves }),
  };
}
