import { PermanentError, RetryableError } from "@inode-gateway/contract";
import { decodeStatus, statusFromJson } from "@inode-gateway/grpc";
import { jsonMediaType, protobufMediaType } from "../../transport/otlp-names.js";
import { grpcCodeOf } from "../../transport/status-mapping.js";
import { parseRetryAfter } from "./retry-after.js";

/** What is looked at of an HTTP answer. */
export interface HttpAnswer {
  readonly httpStatus: number;
  /** Without parameters, lower case; empty when there was none. */
  readonly mediaType: string;
  readonly retryAfter: string | undefined;
  readonly location: string | undefined;
  readonly body: Uint8Array;
}

/** What OTLP/HTTP lets a client send again. */
const retryableStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** Statuses whose `Retry-After` the specification gives a meaning. */
const throttlingStatuses: ReadonlySet<number> = new Set([429, 503]);

/** What an answer outside 2xx says about the same batch sent again, as OTLP/HTTP prescribes it. */
export function failureOfAnswer(
  url: string,
  answer: HttpAnswer,
  unixMs: number,
): PermanentError | RetryableError {
  const { httpStatus, location } = answer;
  const said = messageOf(answer);
  const redirect = location === undefined ? "" : `, redirects to ${location} are not followed`;
  const message = `${url} answered ${httpStatus}${said === "" ? "" : `: ${said}`}${redirect}`;
  const backendStatus = {
    grpcCode: grpcCodeOf(httpStatus),
    message: said === "" ? message : said,
    httpStatus,
  };
  if (retryableStatuses.has(httpStatus)) {
    const retryAfterMs = throttlingStatuses.has(httpStatus)
      ? parseRetryAfter(answer.retryAfter, unixMs)
      : undefined;
    return new RetryableError("BACKEND_UNAVAILABLE", message, { backendStatus, retryAfterMs });
  }
  const errorCode = httpStatus === 413 ? "BATCH_TOO_LARGE" : "BACKEND_REJECTED";
  return new PermanentError(errorCode, message, { backendStatus });
}

/** The message of a Status body; nothing for every other body, which may be a page of HTML. */
function messageOf({ body, mediaType }: HttpAnswer): string {
  try {
    if (mediaType === protobufMediaType) return decodeStatus(body).message;
    if (mediaType === jsonMediaType) {
      return statusFromJson(Buffer.from(body).toString()).message;
    }
  } catch {
    // What a destination writes beside its status code helps, but is not needed.
  }
  return "";
}
