import { once } from "node:events";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createSecureContext, Server as TlsServer } from "node:tls";
import { readServerTls, type ServerTlsConfig, type ServerTlsMaterial } from "@inode-gateway/config";
import type { ComponentSettings } from "@inode-gateway/contract";
import { formatEndpoint, listenError, parseListenEndpoint } from "./endpoint.js";
import { TlsReload } from "./tls-reload.js";

/** Connections at the same time; more are closed at once. People and probes need a few. */
export const PAGE_CONNECTIONS_MAX = 128;

/** A request for a page has no body and few headers. */
const HEADER_BYTES_MAX = 8_192;
const REQUEST_MS_MAX = 5_000;
const IDLE_MS_MAX = 60_000;

/** A timer of Node fires at once when it is set for longer than this. */
const TIMER_MS_MAX = 2_147_483_647;

/** Where a {@link PageServer} listens and what it answers. */
export interface PageServerOptions {
  /** The `endpoint` of the component, checked by its schema. */
  readonly endpoint: string;
  readonly tls?: ServerTlsConfig | undefined;
  /** Answers one request; must not throw. Bodies are thrown away before. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
}

/** A small HTTP server of an extension: for probes, and for people who look at what goes on. */
export class PageServer {
  readonly #settings: ComponentSettings;
  readonly #options: PageServerOptions;
  #server: Server | undefined;
  #address: string | undefined;
  #tlsReload: TlsReload<ServerTlsMaterial> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(settings: ComponentSettings, options: PageServerOptions) {
    this.#settings = settings;
    this.#options = options;
  }

  /** `host:port` as bound; undefined before `start`. */
  get address(): string | undefined {
    return this.#address;
  }

  /** @throws Error naming the key, the endpoint and the way out when it cannot be taken */
  async start(): Promise<void> {
    const { endpoint } = this.#options;
    const server = await this.#createServer();
    try {
      await listen(server, endpoint);
    } catch (error) {
      throw listenError("endpoint", endpoint, error);
    }
    this.#server = server;
    this.#tlsReload?.follow();
    const { address, port } = server.address() as AddressInfo;
    this.#address = formatEndpoint(address, port);
  }

  /** Answers what was asked until `deadlineMs`, then closes what is open. Safe twice and without `start`. */
  shutdown(deadlineMs: number): Promise<void> {
    this.#tlsReload?.stop();
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  async #createServer(): Promise<Server> {
    const { tls } = this.#options;
    const limits = {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: REQUEST_MS_MAX,
      requestTimeout: REQUEST_MS_MAX,
      keepAliveTimeout: IDLE_MS_MAX,
    };
    const handle = (request: IncomingMessage, response: ServerResponse) => {
      request.resume();
      this.#options.handle(request, response);
    };
    let server: Server;
    if (tls === undefined) server = createHttpServer(limits, handle);
    else {
      const material = await this.#readTls(tls);
      const clients = material.clientCa === undefined ? {} : { requestCert: true };
      server = createHttpsServer({ ...limits, ...tlsOptions(material), ...clients }, handle);
    }
    server.maxConnections = PAGE_CONNECTIONS_MAX;
    return server;
  }

  #readTls(config: ServerTlsConfig): Promise<ServerTlsMaterial> {
    this.#tlsReload = new TlsReload(this.#settings, {
      config,
      section: "tls",
      read: () => readServerTls(config),
      apply: (material) => {
        const options = tlsOptions(material);
        // Tried on the side: a server keeps half of what it is given when OpenSSL refuses the rest.
        createSecureContext(options);
        if (this.#server instanceof TlsServer) this.#server.setSecureContext(options);
      },
    });
    return this.#tlsReload.read();
  }

  async #stop(deadlineMs: number): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const { clock } = this.#settings;
    const closed = once(server, "close");
    server.close();
    server.closeIdleConnections();
    const delayMs = Math.min(deadlineMs - clock.nowMs(), TIMER_MS_MAX);
    const timer = clock.setTimer(delayMs, () => server.closeAllConnections());
    await closed;
    timer.cancel();
  }
}

function tlsOptions(material: ServerTlsMaterial) {
  const { cert, cipherSuites, clientCa, curves, key, maxVersion, minVersion } = material;
  return {
    cert,
    key,
    minVersion,
    maxVersion,
    ...(clientCa !== undefined && { ca: clientCa }),
    ...(cipherSuites !== undefined && { ciphers: cipherSuites }),
    ...(curves !== undefined && { ecdhCurve: curves }),
  };
}

async function listen(server: Server, endpoint: string): Promise<void> {
  const parsed = parseListenEndpoint(endpoint);
  if ("problem" in parsed) throw new Error(`\`endpoint\` ${parsed.problem}`);
  const { host, port } = parsed;
  // `once` rejects when the server emits an error first.
  const listening = once(server, "listening");
  server.listen(host === "" ? { port } : { host, port });
  await listening;
}
