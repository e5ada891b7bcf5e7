import { isIP } from "node:net";
import type { BatchOrigin } from "@inode-gateway/contract";

const METADATA = "metadata.";
const AUTH = "auth.";
const CLIENT_ADDRESS = "client.address";

/** Between several values of one header. */
const SEPARATOR = ";";

/** Reads one value out of what is known of a batch's sender; undefined when there is none. */
export type ContextReader = (origin: BatchOrigin) => string | undefined;

/**
 * Finds the reader for a `from_context` key: `metadata.<name>`, `auth.<name>`, `client.address`; any other
 * key names metadata, as in the Collector. Names of metadata are the same in upper and lower case.
 */
export function contextReader(key: string): ContextReader {
  if (key === CLIENT_ADDRESS) return ({ peer }) => addressOf(peer);
  if (key.startsWith(AUTH)) {
    const name = key.slice(AUTH.length);
    return ({ auth }) => auth?.get(name);
  }
  const name = (key.startsWith(METADATA) ? key.slice(METADATA.length) : key).toLowerCase();
  return ({ metadata }) => {
    const values = metadata.get(name);
    return values === undefined || values.length === 0 ? undefined : values.join(SEPARATOR);
  };
}

/** The peer without its port: `10.0.0.7` of `10.0.0.7:4317`, `::1` of `[::1]:4317`. */
function addressOf(peer: string): string {
  const host = peer.slice(0, Math.max(0, peer.lastIndexOf(":")));
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  return isIP(bare) === 0 ? peer : bare;
}
