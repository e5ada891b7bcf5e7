import { Metadata as GrpcJsMetadata } from "@grpc/grpc-js";
import { type Metadata, metadataProblem } from "../metadata.js";
import { GrpcCode, GrpcStatusError } from "../status.js";

/**
 * Headers that Node sends once only; a second value throws inside grpc-js, which then gives up the
 * connection with all its calls (node: lib/internal/http2/util.js, kSingleValueHeaders).
 */
const SINGLE_VALUE_HEADERS: ReadonlySet<string> = new Set([
  "access-control-allow-credentials",
  "access-control-max-age",
  "access-control-request-method",
  "age",
  "authorization",
  "content-encoding",
  "content-language",
  "content-location",
  "content-md5",
  "content-range",
  "date",
  "dnt",
  "etag",
  "expires",
  "from",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "last-modified",
  "location",
  "max-forwards",
  "proxy-authorization",
  "range",
  "referer",
  "retry-after",
  "tk",
  "upgrade-insecure-requests",
  "user-agent",
  "x-content-type-options",
]);

/**
 * Makes grpc-js metadata of a call's own.
 *
 * @throws GrpcStatusError INTERNAL that names what cannot be sent
 */
export function requestMetadata(metadata: Metadata | undefined, waitForReady: boolean) {
  const target = new GrpcJsMetadata({ waitForReady });
  for (const [name, values] of metadata ?? []) {
    const problem = metadataProblem(name, values) ?? singleValueProblem(name, values);
    if (problem !== undefined) {
      throw new GrpcStatusError({ code: GrpcCode.INTERNAL, message: problem });
    }
    const isBytes = name.toLowerCase().endsWith("-bin");
    for (const value of values) {
      target.add(name, isBytes ? Buffer.from(value, "base64") : value);
    }
  }
  return target;
}

function singleValueProblem(name: string, values: readonly string[]): string | undefined {
  if (values.length < 2 || !SINGLE_VALUE_HEADERS.has(name.toLowerCase())) return undefined;
  return `metadata \`${name}\` has ${values.length} values, one can be sent`;
}
