/**
 * Request metadata; names are lower-case, a name may have several values.
 *
 * A value is printable ASCII. Under a name that ends in `-bin` it stands for bytes and is their
 * base64 text (standard alphabet), as gRPC writes it on the wire; padding may be missing.
 */
export type Metadata = ReadonlyMap<string, readonly string[]>;

/**
 * The header list a server takes of one call, in the measure of SETTINGS_MAX_HEADER_LIST_SIZE: names
 * and values in bytes and 32 for each field (RFC 9113, section 6.5.2).
 *
 * Twice what gRPC's C core takes at most; a call above it is answered RESOURCE_EXHAUSTED.
 */
export const HEADER_LIST_BYTES_MAX = 32_768;

const FIELD_OVERHEAD_BYTES = 32;

/** What belongs to HTTP/2 or gRPC itself, and is no metadata in either direction. */
const TRANSPORT_HEADERS: ReadonlySet<string> = new Set([
  "accept-encoding",
  "connection",
  "content-length",
  "content-type",
  "grpc-accept-encoding",
  "grpc-encoding",
  "grpc-message-type",
  "grpc-timeout",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Size of a header list as `HEADER_LIST_BYTES_MAX` measures it; `rawHeaders` are names and values in turn. */
export function headerListBytes(rawHeaders: readonly string[]): number {
  let bytes = (rawHeaders.length / 2) * FIELD_OVERHEAD_BYTES;
  // Header text is Latin-1 here: one byte a character.
  for (const text of rawHeaders) bytes += text.length;
  return bytes;
}

/**
 * Takes the metadata out of a received header list, without pseudo-headers and the transport's own.
 *
 * A `-bin` header may hold several values joined by commas; they come out one by one, unless the name
 * is reserved (`grpc-`).
 */
export function metadataFromHeaders(rawHeaders: readonly string[]): Metadata {
  const metadata = new Map<string, string[]>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? "";
    const value = rawHeaders[index + 1] ?? "";
    if (name.startsWith(":") || TRANSPORT_HEADERS.has(name)) continue;
    const isJoined = name.endsWith("-bin") && !name.startsWith("grpc-");
    const values = isJoined ? value.split(",").map((part) => part.trim()) : [value];
    const known = metadata.get(name);
    if (known === undefined) metadata.set(name, values);
    else known.push(...values);
  }
  return metadata;
}

/**
 * Says why a name with its values cannot be sent as metadata; undefined when it can.
 *
 * The rules are gRPC's "Custom-Metadata" (doc/PROTOCOL-HTTP2.md), and that what the transport sets
 * itself cannot be set.
 */
export function metadataProblem(name: string, values: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  if (!/^[0-9a-z_.-]+$/.test(lower)) {
    return `metadata name ${JSON.stringify(name)} may only have letters, digits, "_", "-" and "."`;
  }
  if (TRANSPORT_HEADERS.has(lower)) return `metadata name \`${name}\` belongs to the transport`;
  const isBytes = lower.endsWith("-bin");
  for (const value of values) {
    if (isBytes && !/^[0-9A-Za-z+/]*={0,2}$/.test(value)) {
      return `a value of metadata \`${name}\` is not base64`;
    }
    if (!isBytes && !/^[ -~]*$/.test(value)) {
      return `a value of metadata \`${name}\` is not printable ASCII`;
    }
  }
  return undefined;
}
