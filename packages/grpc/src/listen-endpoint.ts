import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { UnaryServerOptions } from "./unary-server.js";

/** An address as `net.Server.listen` takes it. */
export type ListenAddress =
  | { readonly path: string }
  | { readonly host?: string; readonly port: number; readonly ipv6Only: boolean };

/** Longest path of a unix socket: sun_path has 108 bytes with the final zero (unix(7)). */
const UNIX_PATH_BYTES_MAX = 107;

/**
 * Resolves an endpoint as the user wrote it to the one address to listen on.
 *
 * A host name is looked up; where it has addresses of both families, IPv4 is taken, as the Collector
 * does. No host means every address of the machine.
 *
 * @throws Error with `code` EINVAL for an endpoint of another form, ENAMETOOLONG for a long path, or
 *   the resolver's (ENOTFOUND, EAI_AGAIN)
 */
export async function resolveListenEndpoint(
  endpoint: string,
  transport: UnaryServerOptions["transport"],
): Promise<ListenAddress> {
  if (transport === "unix") return { path: checkedPath(endpoint) };
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(endpoint);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw coded("EINVAL", "it is not `host:port`, with a port from 0 to 65535");
  }
  const host = match[1] ?? match[2] ?? "";
  const ipv6Only = transport === "tcp6";
  if (host === "") return { ...everyAddress(transport), port, ipv6Only };
  const family = { tcp: 0, tcp4: 4, tcp6: 6 }[transport];
  const literal = isIP(host);
  if (literal !== 0 && family !== 0 && literal !== family) {
    throw coded("EINVAL", `the address is IPv${literal}, the transport is ${transport}`);
  }
  if (literal !== 0) return { host, port, ipv6Only };
  const addresses = await lookup(host, { all: true, family });
  const address = addresses.find((entry) => entry.family === 4) ?? addresses[0];
  if (address === undefined) throw coded("ENOTFOUND", "the host has no address");
  return { host: address.address, port, ipv6Only };
}

// Without a host Node listens on both families, or on IPv4 alone where the kernel has no IPv6.
function everyAddress(transport: "tcp" | "tcp4" | "tcp6"): { host?: string } {
  if (transport === "tcp") return {};
  return { host: transport === "tcp4" ? "0.0.0.0" : "::" };
}

function checkedPath(endpoint: string): string {
  const path = endpoint.replace(/^unix:(?:\/\/(?=\/))?/, "");
  const length = Buffer.byteLength(path);
  if (length === 0) throw coded("EINVAL", "the path of the unix socket is empty");
  // libuv would cut a longer path short, without a word, and listen somewhere else.
  if (length > UNIX_PATH_BYTES_MAX) {
    const reason = `the path is ${length} bytes, a unix socket takes ${UNIX_PATH_BYTES_MAX}`;
    throw coded("ENAMETOOLONG", reason);
  }
  return path;
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
