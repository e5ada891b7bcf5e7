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
import type { ComponentSettings, Extension, Host } from "@inode-gateway/contract";
import { formatEndpoint, listenError, parseListenEndpoint } from "../../transport/endpoint.js";
import { TlsReload } from "../../transport/tls-reload.js";
import type { HealthCheckConfig } from "./config.js";
import {
  type HealthAnswer,
  healthAnswer,
  type Readiness,
  verboseHealthAnswer,
} from "./health-answer.js";
import { probes } from "./metrics.js";

/** Connections at the same time; more are closed at once. A cluster sends a few probes a second. */
export const CONNECTIONS_MAX = 128;

/** A probe has no body and few headers. */
const HEADER_BYTES_MAX = 8_192;
const REQUEST_MS_MAX = 5_000;
const IDLE_MS_MAX = 60_000;

/** A timer of Node fires at once when it is set for longer than this. */
const TIMER_MS_MAX = 2_147_483_647;

/**
 * Answers probes: 200 while every pipeline runs, 503 before and from the moment the process begins
 * to stop, so that a balancer turns away before any receiver closes.
 */
export class HealthCheck implements Extension {
  readonly #settings: ComponentSettings;
  readonly #config: HealthCheckConfig;
  #host: Host | undefined;
  #server: Server | undefined;
  #address: string | undefined;
  #readiness: (Readiness & { readonly sinceMs: number }) | undefined;
  #tlsReload: TlsReload<ServerTlsMaterial> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(settings: ComponentSettings, config: HealthCheckConfig) {
    this.#settings = settings;
    this.#config = config;
  }

  /** `host:port` as bound; undefined before `start`. */
  get address(): string | undefined {
    return this.#address;
  }

  /** @throws Error naming the key, the endpoint and the way out when it cannot be taken */
  async start(host: Host): Promise<void> {
    this.#host = host;
    const { endpoint } = this.#config;
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
    this.#settings.logger.info("answering health checks", { endpoint: this.#address });
  }

  ready(): void {
    const { clock } = this.#settings;
    this.#readiness = { sinceUnixMs: clock.unixMs(), sinceMs: clock.nowMs() };
  }

  notReady(): void {
    this.#readiness = undefined;
  }

  shutdown(deadlineMs: number): Promise<void> {
    this.#readiness = undefined;
    this.#tlsReload?.stop();
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  async #createServer(): Promise<Server> {
    const { tls } = this.#config;
    const limits = {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: REQUEST_MS_MAX,
      requestTimeout: REQUEST_MS_MAX,
      keepAliveTimeout: IDLE_MS_MAX,
    };
    const handle = (request: IncomingMessage, response: ServerResponse) =>
      this.#handle(request, response);
    let server: Server;
    if (tls === undefined) server = createHttpServer(limits, handle);
    else {
      const material = await this.#readTls(tls);
      const clients = material.clientCa === undefined ? {} : { requestCert: true };
      server = createHttpsServer({ ...limits, ...tlsOptions(material), ...clients }, handle);
    }
    server.maxConnections = CONNECTIONS_MAX;
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

  #handle(request: IncomingMessage, response: ServerResponse): void {
    // A probe has no body; one that is sent all the same is not kept.
    request.resume();
    const [path = "/", query = ""] = (request.url ?? "/").split("?", 2);
    if (!this.#isAnswered(path)) {
      this.#send(response, 404, "text/plain; charset=utf-8", "404 page not found\n");
      return;
    }
    const isVerbose = new URLSearchParams(query).has("verbose");
    const { body, statusCode } = this.#answer(isVerbose);
    this.#send(response, statusCode, "application/json", body);
  }

  #send(response: ServerResponse, statusCode: number, type: string, body: string): void {
    const { id: extension, meter } = this.#settings;
    meter.counter(probes, { extension, status: String(statusCode) }).add(1);
    response.writeHead(statusCode, {
      "content-type": type,
      "content-length": Buffer.byteLength(body),
    });
    response.end(body);
  }

  #answer(isVerbose: boolean): HealthAnswer {
    const nowUnixMs = this.#nowUnixMs();
    if (!isVerbose) return healthAnswer(this.#readiness, nowUnixMs, this.#config.response_body);
    const statuses = this.#host?.componentStatuses() ?? [];
    return verboseHealthAnswer(this.#readiness, nowUnixMs, statuses);
  }

  /** The time of day that has passed since `ready`, whatever was done to the system's clock since. */
  #nowUnixMs(): number {
    const { clock } = this.#settings;
    if (this.#readiness === undefined) return clock.unixMs();
    return this.#readiness.sinceUnixMs + clock.nowMs() - this.#readiness.sinceMs;
  }

  /** As Go's ServeMux: exactly the path, or everything below one that ends with a slash. */
  #isAnswered(path: string): boolean {
    const { path: own } = this.#config;
    return path === own || (own.endsWith("/") && path.startsWith(own));
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
