import { NO_CONNECTION } from "../status.js";

/** What grpc-js says, once or several times over, before the reason that a person wants to know. */
const wrapping = /^(?:(?:(?:weighted_)?round_robin: )?No connection established\. Last error: )+/;

/**
 * The message of a status that grpc-js made when it found no connection, in a form for people: its
 * load balancers repeat themselves, and OpenSSL writes addresses of memory and lines of its source.
 *
 * Any other message is returned as it is.
 */
export function connectFailureText(details: string): string {
  const unresolved = /^Name resolution failed for target (?:dns:)?(.*)$/s.exec(details);
  if (unresolved !== null) return `${NO_CONNECTION}the name ${unresolved[1]} does not resolve`;
  if (!wrapping.test(details)) return details;
  const reason = details
    .replace(wrapping, "")
    .replace(/\. Resolution note: .*$/s, "")
    .replace(/^Error: /, "")
    .replace(/^Failed to connect \(.*\)$/, "the connection was closed before it was ready")
    .replace(/^[0-9A-F]+:error:[0-9A-F]+:SSL routines:[^:]*:([^:]*):.*$/s, "TLS: $1");
  return `${NO_CONNECTION}${reason.trim()}`;
}
