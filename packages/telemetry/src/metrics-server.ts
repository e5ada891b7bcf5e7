import type { IncomingMessage, ServerResponse } from "node:http";
import { type AdminServer, type AdminServerOptions, startAdminServer } from "./admin-server.js";
import type { PrometheusMeter } from "./meter.js";

/** Where and what {@link startMetricsServer} serves. */
export interface MetricsServerOptions {
  /** As in `AdminServerOptions`. */
  readonly endpoint: string;
  /** The operator's key for it, for the error when it is taken. */
  readonly endpointKey: string;
  readonly meter: PrometheusMeter;
  /** Answers requests for further paths; must not throw. */
  readonly pages?: ReadonlyMap<string, AdminServerOptions["answer"]> | undefined;
}

/**
 * Serves `GET /metrics` in the Prometheus text format.
 *
 * @throws Error that names the endpoint when it cannot be bound, with the system's `code`
 */
export function startMetricsServer(options: MetricsServerOptions): Promise<AdminServer> {
  const { endpoint, endpointKey, meter, pages } = options;
  return startAdminServer({
    endpoint,
    endpointKey,
    name: "metrics page",
    answer: (request, response) => {
      const page = pages?.get(pathOf(request));
      if (page !== undefined) page(request, response);
      else void answer(request, response, meter);
    },
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  meter: PrometheusMeter,
): Promise<void> {
  if (pathOf(request) !== "/metrics") {
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

function pathOf({ url = "/" }: IncomingMessage): string {
  return url.split("?", 1)[0] ?? "/";
}
