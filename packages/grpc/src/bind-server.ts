import type { Server } from "node:net";
import { type ListenAddress, resolveListenEndpoint } from "./listen-endpoint.js";
import type { UnaryServerOptions } from "./unary-server.js";
import { removeStaleSocket } from "./unix-socket.js";

/**
 * Lets a server listen where the user wants it, as Go does: an IPv4 address first when a name has both,
 * every interface without a host. A unix socket that a dead process left behind is replaced.
 *
 * @returns `host:port` as bound, or `unix:` and the path
 * @throws Error with the `code` of the system (EADDRINUSE, EACCES, ENOTFOUND, EINVAL ...)
 */
export async function bindServer(
  server: Server,
  endpoint: string,
  transport: UnaryServerOptions["transport"],
): Promise<string> {
  const address = await resolveListenEndpoint(endpoint, transport);
  try {
    await listenOnce(server, address);
  } catch (error) {
    const isInUse = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    if (!isInUse || !("path" in address) || !(await removeStaleSocket(address.path))) throw error;
    await listenOnce(server, address);
  }
  return "path" in address ? `unix:${address.path}` : boundAddress(server);
}

/** `host:port`, with the brackets that an IPv6 address needs. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function listenOnce(server: Server, address: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(address, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function boundAddress(server: Server): string {
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new TypeError("no TCP address is bound");
  return formatHostPort(bound.address, bound.port);
}
