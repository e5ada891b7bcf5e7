import { constants, type ServerHttp2Stream } from "node:http2";
import type { GrpcRefusal, HttpRefusal } from "../call-head.js";

/** Answers a request that never becomes a call, and lets go of its body. */
export function refuse(stream: ServerHttp2Stream, refusal: HttpRefusal | GrpcRefusal): void {
  // A peer may be gone by now; the stream's own close says all there is to know.
  stream.on("error", () => undefined);
  if (stream.destroyed || stream.closed) return;
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
  stream.resume();
  stream.close(constants.NGHTTP2_NO_ERROR);
}

// Percent-encoding refuses lone surrogates, and a refusal may quote what the peer sent.
function wellFormed(text: string): string {
  return Buffer.from(text, "utf8").toString("utf8");
}
