import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { PrometheusMeter } from "./meter.js";

/** A running metrics page. */
export interface MetricsServer {
  /** `host:port` as bound. */
  readonly address: string;
  /** Safe twice. */
  close(): Promise<void>;
}

/** Connections to the metrics page at one time; scrapers need one or two. */
export const maxMetricsConnections = 64;

/** How long one request for the page may take to arrive. */
const requestTimeoutMs = 10_000;

/**
 * Serves `GET /metrics` in the Prometheus text format.
 *
 * @param endpoint `host:port` or `[v6]:port`; port 0 picks a free one
 * @throws Error that names the endpoint when it cannot be bound, with the system's `code`
 */
export async function startMetricsServer(
  endpoint: string,
  meter: PrometheusMeter,
): Promise<MetricsServer> {
  const { host, port } = splitEndpoint(endpoint);
  const server = createServer((request, response) => {
    void answer(request, response, meter);
  });
  server.maxConnections = maxMetricsConnections;
  server.requestTimeout = requestTimeoutMs;
  server.headersTimeout = requestTimeoutMs;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const advice =
        cause.code === "EADDRINUSE"
          ? "another process listens there: stop it, or set another `port`"
          : cause.message;
      const error = new Error(`metrics page cannot listen on ${endpoint}: ${advice}`, { cause });
      reject(Object.assign(error, { code: cause.code }));
    });
    server.listen(port, host, resolve);
  });
  // A scraper must not keep a process alive that has nothing else to do.
  server.unref();
  const bound = server.address() as AddressInfo;
  return {
    address:
      bound.family === "IPv6"
        ? `[${bound.address}]:${bound.port}`
        : `${bound.address}:${bound.port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  meter: PrometheusMeter,
): Promise<void> {
  const [path] = (request.url ?? "/").split("?");
  if (path !== "/metrics") {
    response.writeHead(404, { "content-type": "text/plain" }).end("metrics are at /metrics\n");
    return;
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD", "content-type": "text/plain" }).end();
    return;
  }
  try {
    const { contentType, body } = await meter.page();
    response.writeHead(200, { "content-type": contentType }).end(body);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    response.writeHead(500, { "content-type": "text/plain" }).end(`${reason}\n`);
  }
}

function splitEndpoint(endpoint: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(endpoint);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new Error(`endpoint "${endpoint}" is not host:port, such as localhost:8888`);
  }
  return { host: match[1] ?? match[2] ?? "", port };
}
