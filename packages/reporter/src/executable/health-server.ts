import type { IncomingMessage, ServerResponse } from "node:http";
import { type AdminServer, startAdminServer } from "@inode-gateway/telemetry";
import type { ReporterStatus } from "../reporter-types.js";

/**
 * Serves the reporter's status as JSON: `/` with 200 while it is ready and 503 otherwise, `/live`
 * with 200 as long as the process answers at all.
 *
 * @throws Error that names the endpoint when it cannot be bound
 */
export function startHealthServer(
  endpoint: string,
  readStatus: () => ReporterStatus,
): Promise<AdminServer> {
  return startAdminServer({
    endpoint,
    endpointKey: "health::endpoint",
    name: "health endpoint",
    answer: (request, response) => answer(request, response, readStatus),
  });
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
