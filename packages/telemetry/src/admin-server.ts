import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A small HTTP server for people, probes and scrapers. */
export interface AdminServer {
  /** `host:port` as bound. */
  readonly address: string;
  /** Ends open connections too. Safe twice. */
  close(): Promise<void>;
}

/** What an {@link AdminServer} serves and where. */
export interface AdminServerOptions {
  /** `host:port` or `[v6]:port`; an empty host is every address, port 0 a free one. */
  readonly endpoint: string;
  /** What errors call it, such as `metrics page`. */
  readonly name: string;
  /** The key that an operator changes when the port is taken, such as `health::endpoint`. */
  readonly endpointKey: string;
  /** Answers one request; must not throw. */
  readonly answer: (request: IncomingMessage, response: ServerResponse) => void;
}

/** Connections at one time; scrapers and probes need one or two each. */
export const maxAdminConnections = 64;

/** How long one request may take to arrive. */
const requestTimeoutMs = 10_000;

/**
 * Starts a server that does not keep the process alive by itself.
 *
 * @throws Error that names the endpoint when it cannot be bound, with the system's `code`
 */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const { endpoint, name, endpointKey, answer } = options;
  const { host, port } = splitEndpoint(endpoint);
  const server = createServer(answer);
  server.maxConnections = maxAdminConnections;
  server.requestTimeout = requestTimeoutMs;
  server.headersTimeout = requestTimeoutMs;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const advice =
        cause.code === "EADDRINUSE"
          ? "another process listens there; stop it (`ss -ltnp` names it), or"
          : `${cause.message};`;
      const error = new Error(
        `${name} cannot listen on ${endpoint}: ${advice} set another \`${endpointKey}\``,
        { cause },
      );
      reject(Object.assign(error, { code: cause.code }));
    });
    server.listen(port, host === "" ? undefined : host, resolve);
  });
  server.unref();
  const { address, port: boundPort, family } = server.address() as AddressInfo;
  return {
    address: family === "IPv6" ? `[${address}]:${boundPort}` : `${address}:${boundPort}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function splitEndpoint(endpoint: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(endpoint);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new Error(`endpoint "${endpoint}" is not host:port, such as localhost:8888`);
  }
  return { host: match[1] ?? match[2] ?? "", port };
}
