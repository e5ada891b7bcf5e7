import { constants, type ServerHttp2Stream } from "node:http2";
import type { GrpcRefusal, HttpRefusal } from "../call-head.js";
import type { Http2Guard } from "../http2-guard.js";
import type { StatusTrailers } from "../status-trailers.js";

/**
 * How long the rest of a refused request is thrown away before it is cut off. Most are complete within
 * it, and then no side needs a reset: a client sends one for each answer that comes too early, and
 * HTTP/2 gives up a connection after some hundred.
 */
const REFUSAL_WAIT_MS = 50;

/** The refusal that a handler's or an admission's status stands for. */
export function refusalOf({ code, message, details }: StatusTrailers): GrpcRefusal {
  const headers =
    details === undefined
      ? {}
      : { "grpc-status-details-bin": Buffer.from(details).toString("base64") };
  return { code, message, headers };
}

/** Answers a request that never becomes a call; of its body nothing is kept. */
export function refuse(
  stream: ServerHttp2Stream,
  refusal: HttpRefusal | GrpcRefusal,
  guard: Http2Guard,
): void {
  // A peer may be gone by now; the stream's own close says all there is to know.
  stream.on("error", () => undefined);
  if (stream.destroyed || stream.closed) return;
  if (stream.endAfterHeaders || stream.readableEnded) {
    answer(stream, refusal, guard);
    return;
  }
  const timer = setTimeout(() => {
    answer(stream, refusal, guard);
    guard.bodyCutOff(stream);
    // RFC 9113, section 8.1, lets a server say without an error that it needs no more.
    stream.close(constants.NGHTTP2_NO_ERROR);
  }, REFUSAL_WAIT_MS);
  stream.on("data", (chunk: Buffer) => guard.bodyReceived(chunk.length));
  stream.once("close", () => clearTimeout(timer));
  stream.once("end", () => {
    clearTimeout(timer);
    answer(stream, refusal, guard);
  });
}

function answer(
  stream: ServerHttp2Stream,
  refusal: HttpRefusal | GrpcRefusal,
  guard: Http2Guard,
): void {
  if (stream.destroyed || stream.closed || stream.headersSent) return;
  guard.answered(stream);
  const headers =
    "httpStatus" in refusal
      ? { ":status": refusal.httpStatus, ...refusal.headers }
      : {
          ":status": 200,
          "content-type": "application/grpc",
          "grpc-status": refusal.code,
          "grpc-message": encodeURI(wellFormed(refusal.message)),
          ...refusal.headers,
        };
  stream.respond(headers, { endStream: true });
}

// Percent-encoding refuses lone surrogates, and a refusal may quote what the peer sent.
function wellFormed(text: string): string {
  return Buffer.from(text, "utf8").toString("utf8");
}
