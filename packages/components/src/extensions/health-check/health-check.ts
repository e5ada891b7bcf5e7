import type { IncomingMessage, ServerResponse } from "node:http";
import type { ComponentSettings, Extension, Host } from "@inode-gateway/contract";
import { PageServer } from "../../transport/page-server.js";
import type { HealthCheckConfig } from "./config.js";
import {
  type HealthAnswer,
  healthAnswer,
  type Readiness,
  verboseHealthAnswer,
} from "./health-answer.js";
import { probes } from "./metrics.js";

/**
 * Answers probes: 200 while every pipeline runs, 503 before and from the moment the process begins
 * to stop, so that a balancer turns away before any receiver closes.
 */
export class HealthCheck implements Extension {
  readonly #settings: ComponentSettings;
  readonly #config: HealthCheckConfig;
  readonly #server: PageServer;
  #host: Host | undefined;
  #readiness: (Readiness & { readonly sinceMs: number }) | undefined;

  constructor(settings: ComponentSettings, config: HealthCheckConfig) {
    this.#settings = settings;
    this.#config = config;
    this.#server = new PageServer(settings, {
      endpoint: config.endpoint,
      tls: config.tls,
      handle: (request, response) => this.#handle(request, response),
    });
  }

  /** `host:port` as bound; undefined before `start`. */
  get address(): string | undefined {
    return this.#server.address;
  }

  /** @throws Error naming the key, the endpoint and the way out when it cannot be taken */
  async start(host: Host): Promise<void> {
    this.#host = host;
    await this.#server.start();
    this.#settings.logger.info("answering health checks", { endpoint: this.address });
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
    return this.#server.shutdown(deadlineMs);
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
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
}
