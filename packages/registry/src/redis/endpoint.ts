/** Where a Redis is, read from its URL. */
export interface RedisAddress {
  /** For messages: without user and password. */
  readonly shown: string;
  readonly isTls: boolean;
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** Of a unix socket, instead of host and port. */
  readonly path: string | undefined;
  readonly database: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

const forms = "`redis://host:6379/0`, `rediss://host:6379/0` or `unix:///path/redis.sock`";

/**
 * Reads `redis://`, `rediss://` and `unix://` URLs; the port is 6379 and the database 0 when left out.
 *
 * @throws RangeError that says what is wrong, never with the password in it
 */
export function parseRedisEndpoint(endpoint: string): RedisAddress {
  let url: URL;
  try {
    url = new URL(endpoint);
  } catch {
    throw new RangeError(`endpoint \`${withoutSecret(endpoint)}\` is not a URL such as ${forms}`);
  }
  const username = url.username === "" ? undefined : decode(url.username, "user name");
  const password = url.password === "" ? undefined : decode(url.password, "password");
  if (url.protocol === "unix:") return unixAddress(url, { username, password });
  if (url.protocol !== "redis:" && url.protocol !== "rediss:") {
    throw new RangeError(
      `endpoint \`${withoutSecret(endpoint)}\` begins with \`${url.protocol}\`, it must be ${forms}`,
    );
  }
  if (url.hostname === "") {
    throw new RangeError(
      `endpoint \`${withoutSecret(endpoint)}\` names no host, it must be ${forms}`,
    );
  }
  const port = url.port === "" ? 6379 : Number(url.port);
  return {
    shown: `${url.protocol}//${url.hostname}:${port}`,
    isTls: url.protocol === "rediss:",
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port,
    path: undefined,
    database: databaseOf(url.pathname.replace(/^\//, "")),
    username,
    password,
  };
}

function unixAddress(
  url: URL,
  credentials: Pick<RedisAddress, "username" | "password">,
): RedisAddress {
  if (url.hostname !== "" || !url.pathname.startsWith("/") || url.pathname === "/") {
    throw new RangeError("endpoint of a unix socket must have an absolute path: `unix:///path`");
  }
  return {
    shown: `unix://${url.pathname}`,
    isTls: false,
    host: undefined,
    port: undefined,
    path: decode(url.pathname, "path"),
    database: databaseOf(url.searchParams.get("db") ?? ""),
    ...credentials,
  };
}

function databaseOf(text: string): number {
  if (text === "") return 0;
  if (!/^\d{1,6}$/.test(text)) {
    throw new RangeError(`database \`${text}\` of the endpoint is not a number from 0 to 999999`);
  }
  return Number(text);
}

function decode(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RangeError(`${what} in the endpoint is not percent-encoded correctly`);
  }
}

/** Everything before the last `@` may be a password with an odd character in it. */
function withoutSecret(endpoint: string): string {
  const at = endpoint.lastIndexOf("@");
  return at < 0 ? endpoint : `…${endpoint.slice(at)}`;
}
