import type { Signal } from "../signal.js";

/**
 * Merges requests of one signal into one: their chunks, one after another.
 *
 * Protobuf reads concatenated messages as one message, and since all that a request holds is a list of
 * ResourceSpans (or ResourceMetrics, ResourceLogs), the concatenation is the request with all of
 * them. Nothing is copied or regrouped. Every request must have passed `checkRequest`, or one broken
 * sender spoils the others.
 *
 * @param requests each as the chunks it consists of
 * @throws RangeError for more than one request of profiles: each has a dictionary of its own, which
 *   all its profiles point into
 */
export function mergeRequests(
  signal: Signal,
  requests: readonly (readonly Uint8Array[])[],
): readonly Uint8Array[] {
  if (signal === "profiles" && requests.length > 1) {
    throw new RangeError(`${requests.length} requests of profiles cannot be merged into one`);
  }
  return requests.flat();
}
