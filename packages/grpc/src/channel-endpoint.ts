import { isIP } from "node:net";

/** Where a channel connects to, taken apart. */
export interface ChannelEndpoint {
  /** As a gRPC name: `dns:///host:port` or `unix:path`. */
  readonly target: string;
  /** The name or address whose certificate is expected; `localhost` for a unix socket. */
  readonly host: string;
  /** Whether no other machine takes part. */
  readonly isLocal: boolean;
}

/** The port where the endpoint has none: that of HTTPS, as everywhere in gRPC. */
const PORT_DEFAULT = 443;

/**
 * Takes the endpoint of a channel apart: `host:port`, `host`, `[v6]:port`, `dns:///host:port`,
 * `unix:path` or `unix:///path`.
 *
 * @throws Error that names the endpoint and what is expected
 */
export function parseChannelEndpoint(endpoint: string): ChannelEndpoint {
  const socket = /^unix:(?:\/\/(?=\/))?(.+)$/s.exec(endpoint);
  if (socket !== null) return { target: `unix:${socket[1]}`, host: "localhost", isLocal: true };
  const match = /^(?:dns:(?:\/\/\/)?)?(?:\[([^\]]+)\]|([^:/[\]\s]+))(?::(\d{1,5}))?$/.exec(
    endpoint,
  );
  const address = match?.[1];
  const host = address ?? match?.[2] ?? "";
  const port = Number(match?.[3] ?? PORT_DEFAULT);
  if (host === "" || (address !== undefined && isIP(address) !== 6) || port < 1 || port > 65_535) {
    const forms = "`host:port`, `[v6]:port`, `dns:///host:port` or `unix:///path`";
    throw new Error(
      `the endpoint \`${endpoint}\` is none of ${forms}, with a port from 1 to 65535`,
    );
  }
  const target = `dns:///${address === undefined ? host : `[${address}]`}:${port}`;
  const isLocal =
    host === "localhost" || host === "::1" || (isIP(host) === 4 && /^127\./.test(host));
  return { target, host, isLocal };
}
