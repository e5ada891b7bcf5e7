import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { formatEndpoint } from "../../transport/endpoint.js";
import { jsonMediaType, protobufMediaType } from "../../transport/otlp-names.js";
import { type ContentCoding, codingsByName } from "./content-coding.js";

/** How a request and its answer are written down. */
export type Encoding = "protobuf" | "json";

/**
 * The encoding a Content-Type names; undefined when OTLP does not know it.
 *
 * Case and parameters such as charset do not matter.
 */
export function encodingOf(contentType: string | undefined): Encoding | undefined {
  // The two spellings that nearly every client sends, without any splitting.
  if (contentType === protobufMediaType) return "protobuf";
  if (contentType === jsonMediaType) return "json";
  const mediaType = contentType?.split(";", 1)[0]?.trim().toLowerCase();
  if (mediaType === protobufMediaType) return "protobuf";
  return mediaType === jsonMediaType ? "json" : undefined;
}

/** The coding a Content-Encoding names; undefined when it is unknown or not among `accepted`. */
export function codingOf(
  contentEncoding: string | undefined,
  accepted: ReadonlySet<string>,
): ContentCoding | undefined {
  const name = contentEncoding?.trim().toLowerCase() ?? "";
  if (name === "" || name === "identity") return accepted.has("") ? "identity" : undefined;
  return accepted.has(name) ? codingsByName.get(name) : undefined;
}

/** The value of Content-Length; undefined for a body whose length is not declared. */
export function declaredBytesOf(headers: IncomingHttpHeaders): number | undefined {
  const length = headers["content-length"];
  return length === undefined ? undefined : Number(length);
}

/** Request headers as a batch carries them; pseudo-headers of HTTP/2 are left out. */
export function metadataOf(headers: IncomingHttpHeaders): ReadonlyMap<string, readonly string[]> {
  const metadata = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(":")) continue;
    metadata.set(name, Array.isArray(value) ? value : [value]);
  }
  return metadata;
}

/** The address of the other end, IPv4 addresses in their usual form also on a dual-stack socket. */
export function peerOf(socket: Pick<Socket, "remoteAddress" | "remotePort">): string {
  const address = socket.remoteAddress;
  if (address === undefined) return "unknown";
  const host = address.startsWith("::ffff:") ? address.slice(7) : address;
  return formatEndpoint(host, socket.remotePort ?? 0);
}
