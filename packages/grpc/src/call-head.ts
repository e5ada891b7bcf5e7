import { zstd } from "./compression/zstd.js";
import { HEADER_LIST_BYTES_MAX, headerListBytes } from "./metadata.js";
import { GrpcCode } from "./status.js";

/** Message encodings a server takes, as `grpc-accept-encoding` lists them. */
const ACCEPT_ENCODING = `identity,deflate,gzip,snappy${zstd === undefined ? "" : ",zstd"}`;

/** How a request message may be compressed; snappy in its framing format, as Go's gRPC has it. */
export type MessageEncoding = "identity" | "deflate" | "gzip" | "snappy" | "zstd";

/** What the headers of a well-formed call say. */
export interface CallHead {
  readonly encoding: MessageEncoding;
  /** Time the caller waits, from the arrival of the headers; `Infinity` when it set none. */
  readonly timeoutMs: number;
}

/** An answer without a body, for a request that is no gRPC call at all. */
export interface HttpRefusal {
  readonly httpStatus: 405 | 415;
  readonly headers: Readonly<Record<string, string>>;
}

/** An answer with a gRPC status, for a call that cannot be taken. */
export interface GrpcRefusal {
  readonly code: number;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Checks the headers of a request against gRPC over HTTP/2 (doc/PROTOCOL-HTTP2.md), before a byte of
 * its message is looked at; the path is the caller's to check.
 *
 * @param rawHeaders names and values in turn, as received
 */
export function readCallHead(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  rawHeaders: readonly string[],
): CallHead | HttpRefusal | GrpcRefusal {
  if (headers[":method"] !== "POST") return { httpStatus: 405, headers: { allow: "POST" } };
  const contentType = headers["content-type"];
  if (typeof contentType !== "string" || !/^application\/grpc(?:$|[+;])/i.test(contentType)) {
    return { httpStatus: 415, headers: {} };
  }
  const listBytes = headerListBytes(rawHeaders);
  if (listBytes > HEADER_LIST_BYTES_MAX) {
    const message = `metadata is ${listBytes} bytes, the limit is ${HEADER_LIST_BYTES_MAX}`;
    return { code: GrpcCode.RESOURCE_EXHAUSTED, message, headers: {} };
  }
  const encoding = headers["grpc-encoding"] ?? "identity";
  if (!isAccepted(encoding)) {
    const message = `grpc-encoding ${JSON.stringify(encoding)} is not one of ${ACCEPT_ENCODING}`;
    const accept = { "grpc-accept-encoding": ACCEPT_ENCODING };
    return { code: GrpcCode.UNIMPLEMENTED, message, headers: accept };
  }
  const timeout = headers["grpc-timeout"];
  const timeoutMs = timeout === undefined ? Number.POSITIVE_INFINITY : parseTimeout(timeout);
  if (timeoutMs === undefined) {
    const message = `grpc-timeout ${JSON.stringify(timeout)} is not 1 to 8 digits and a unit HMSmun`;
    return { code: GrpcCode.INTERNAL, message, headers: {} };
  }
  return { encoding, timeoutMs };
}

function isAccepted(encoding: string | string[]): encoding is MessageEncoding {
  return typeof encoding === "string" && acceptedEncodings.has(encoding);
}

const acceptedEncodings: ReadonlySet<string> = new Set(ACCEPT_ENCODING.split(","));

/** Whether a request was refused by its headers, and how. */
export function isRefusal(
  head: CallHead | HttpRefusal | GrpcRefusal,
): head is HttpRefusal | GrpcRefusal {
  return !("timeoutMs" in head);
}

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

function parseTimeout(value: string | string[]): number | undefined {
  const match = typeof value === "string" ? /^(\d{1,8})([HMSmun])$/.exec(value) : null;
  const unitMs = UNIT_MS[match?.[2] ?? ""];
  return unitMs === undefined ? undefined : Number(match?.[1]) * unitMs;
}
