import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ReporterStatus } from "../reporter-types.js";

/** A running health endpoint. */
export interface HealthServer {
  /** `host:port` as bound. */
  readonly address: string;
  /** Safe twice. */
  close(): Promise<void>;
}

/** Connections at one time; probes need one or two. */
export const maxHealthConnections = 64;

/** How long one request may take to arrive. */
const requestTimeoutMs = 10_000;

/**
 * Serves the reporter's status as JSON: `/` with 200 while it is ready and 503 otherwise, `/live`
 * with 200 as long as the process answers at all.
 *
 * @throws Error that names the endpoint when it cannot be bound
 */
export async function startHealthServer(
  endpoint: string,
  readStatus: () => ReporterStatus,
): Promise<HealthServer> {
  const colon = endpoint.lastIndexOf(":");
  const host = endpoint.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  const server = createServer((request, response) => answer(request, response, readStatus));
  server.maxConnections = maxHealthConnections;
  server.requestTimeout = requestTimeoutMs;
  server.headersTimeout = requestTimeoutMs;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const advice =
        cause.code === "EADDRINUSE"
          ? "another process listens there: stop it, or set another `health::endpoint`"
          : cause.message;
      reject(new Error(`health endpoint cannot listen on ${endpoint}: ${advice}`, { cause }));
    });
    server.listen(Number(endpoint.slice(colon + 1)), host === "" ? undefined : host, resolve);
  });
  const { address, port, family } = server.address() as AddressInfo;
  return {
    address: family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  readStatus: () => ReporterStatus,
): void {
  const path = request.url?.split("?", 1)[0];
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end();
    return;
  }
  if (path !== "/" && path !== "/live") {
    response.writeHead(404).end();
    return;
  }
  const status = readStatus();
  const code = path === "/live" || status.isReady ? 200 : 503;
  response.writeHead(code, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(`${JSON.stringify(snakeCase(status))}\n`);
}

// The names that people see are written as in the configuration.
function snakeCase(value: object): Record<string, unknown> {
  const renamed: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    const name = key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    renamed[name] = typeof field === "object" && field !== null ? snakeCase(field) : field;
  }
  return renamed;
}
