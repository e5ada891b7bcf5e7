import type { IncomingMessage, ServerResponse } from "node:http";
import type { ComponentSettings, Extension, Host } from "@inode-gateway/contract";
import { PageServer } from "../../transport/page-server.js";
import type { ZpagesConfig } from "./config.js";
import { zpagesRequests } from "./metrics.js";
import { type PageFacts, pages } from "./pages.js";

/** Pages are static HTML: nothing in them may be run, framed, guessed at or kept. */
const PAGE_HEADERS = {
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cache-control": "no-store",
};

/** Serves pages about this process; nothing can be changed through them. */
export class Zpages implements Extension {
  readonly #settings: ComponentSettings;
  readonly #server: PageServer;
  #host: Host | undefined;

  constructor(settings: ComponentSettings, { endpoint, tls }: ZpagesConfig) {
    this.#settings = settings;
    this.#server = new PageServer(settings, {
      endpoint,
      tls,
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
    this.#settings.logger.info("serving status pages", {
      endpoint: this.address,
      path: "/debug/servicez",
    });
  }

  shutdown(deadlineMs: number): Promise<void> {
    return this.#server.shutdown(deadlineMs);
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const [path = "/"] = (request.url ?? "/").split("?", 1);
    const { method } = request;
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    if (page === undefined) {
      const there = Object.keys(pages).join(", ");
      this.#send(response, 404, "text/plain; charset=utf-8", `pages are at ${there}\n`);
    } else if (method !== "GET" && method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD");
      this.#send(response, 405, "text/plain; charset=utf-8", "use GET\n");
    } else {
      this.#send(response, 200, "text/html; charset=utf-8", page(this.#facts()));
    }
  }

  #send(response: ServerResponse, status: number, type: string, body: string): void {
    const { id: extension, meter } = this.#settings;
    meter.counter(zpagesRequests, { extension, status: String(status) }).add(1);
    response.writeHead(status, {
      ...PAGE_HEADERS,
      "content-type": type,
      "content-length": Buffer.byteLength(body),
    });
    response.end(body);
  }

  #facts(): PageFacts {
    const { build, clock } = this.#settings;
    // Of the process: after a reload this extension may be younger.
    const uptimeMs = Math.round(process.uptime() * 1_000);
    return {
      build,
      runtimeVersion: process.versions.node,
      startedUnixMs: clock.unixMs() - uptimeMs,
      uptimeMs,
      statuses: this.#host?.componentStatuses() ?? [],
      pipelines: this.#host?.pipelines?.() ?? [],
    };
  }
}
