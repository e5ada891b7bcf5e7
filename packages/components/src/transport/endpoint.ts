/** Where a server listens: an interface's address or name, and a port. */
export interface ListenEndpoint {
  /** Without brackets; empty means every interface. */
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
}

/**
 * Takes `host:port`, `[v6]:port` or `:port` apart, as Go's net.SplitHostPort does.
 *
 * Returns a problem as text, in the words of an error message that starts with the key's name.
 */
export function parseListenEndpoint(
  endpoint: string,
): ListenEndpoint | { readonly problem: string } {
  const colon = endpoint.lastIndexOf(":");
  if (colon === -1) return { problem: `has no port: "${endpoint}", expected host:port` };
  const port = parsePort(endpoint.slice(colon + 1));
  if (port === undefined) {
    return { problem: `has no port from 0 to 65535 after the last colon: "${endpoint}"` };
  }
  const host = endpoint.slice(0, colon);
  if (host.startsWith("[") && host.endsWith("]")) return { host: host.slice(1, -1), port };
  if (/[[\]:/\s]/.test(host)) {
    return { problem: `is not host:port: "${endpoint}"; an IPv6 address needs brackets` };
  }
  return { host, port };
}

function parsePort(text: string): number | undefined {
  if (!/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

/** `host:port`, with the brackets that an IPv6 address needs. */
export function formatEndpoint(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * The error of a server that could not take its endpoint, in words that name the key and the way out.
 *
 * @param key the user's key, such as `protocols::grpc::endpoint`
 */
export function listenError(key: string, endpoint: string, cause: unknown): Error {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  // A layer in between may have named the endpoint already; once is enough.
  const root = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const said = root instanceof Error ? root.message : String(root);
  const known = listenReasons.get(code);
  const reason =
    known === undefined ? `${said}; check the address, or set another one` : `${known} (${code})`;
  return Object.assign(
    new Error(`cannot listen on \`${key}\` ${endpoint}: ${reason}`, { cause }),
    code === "" ? {} : { code },
  );
}

const listenReasons: ReadonlyMap<string, string> = new Map([
  [
    "EADDRINUSE",
    "another process listens there; stop it (`ss -ltnp` names it), or set another port",
  ],
  ["EACCES", "this user may not open it; use a port above 1023 or another path"],
  ["EADDRNOTAVAIL", "no interface of this machine has that address; set another one"],
  ["ENOTFOUND", "the name does not resolve; check it, or write an address"],
  ["EAI_AGAIN", "the name does not resolve at the moment; check DNS, or write an address"],
  ["ENOENT", "the folder of the socket does not exist; create it, or set another path"],
]);
