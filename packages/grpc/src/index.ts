export {
  decodeSnappyBlock,
  SnappyError,
  snappyBlockBytes,
} from "./compression/snappy-block.js";
export {
  decodeSnappyFrames,
  encodeSnappyBlock,
  encodeSnappyFrames,
  snappyFramesBytes,
} from "./compression/snappy-frames.js";
export {
  ZSTD_FRAMES_MAX,
  ZSTD_NODE_VERSION,
  zstd,
  zstdCompressOptions,
  zstdDecompressOptions,
} from "./compression/zstd.js";

import { GrpcJsChannel } from "./grpc-js/channel.js";
import { GrpcJsServer } from "./grpc-js/server.js";
import type { UnaryChannel, UnaryChannelOptions } from "./unary-channel.js";
import type { UnaryHandler, UnaryServer, UnaryServerOptions } from "./unary-server.js";

export { bindServer } from "./bind-server.js";
export type { CallAdmission, CallerFacts, CallStart, MessageMemory } from "./call-admission.js";
export {
  type ConnectionFault,
  faultOf,
  GUARD_INTERVAL_MS,
  Http2Guard,
  UNREAD_ANSWER_MS,
} from "./http2-guard.js";
export { HEADER_LIST_BYTES_MAX, headerListBytes, type Metadata } from "./metadata.js";
export {
  GrpcCode,
  GrpcStatusError,
  NO_CONNECTION,
  RETRY_DELAY_MS_MAX,
  type Status,
} from "./status.js";
export { decodeStatus, encodeStatus, STATUS_BYTES_MAX } from "./status-bytes.js";
export { statusFromJson, statusToJson } from "./status-json.js";
export { STATUS_MESSAGE_BYTES_MAX } from "./status-trailers.js";
export type { ClientTls, ServerTls, TlsVersion } from "./tls.js";
export type { UnaryCallOptions, UnaryChannel, UnaryChannelOptions } from "./unary-channel.js";
export {
  CONCURRENT_STREAMS_DEFAULT,
  type ServerKeepalive,
  type UnaryCall,
  type UnaryHandler,
  type UnaryServer,
  type UnaryServerOptions,
} from "./unary-server.js";

/**
 * Makes a server for the methods in `handlers`, by path; nothing is opened before `listen`.
 *
 * `handlers` is read once, here. A method that is not in it is answered UNIMPLEMENTED.
 */
export function createUnaryServer(
  options: UnaryServerOptions,
  handlers: ReadonlyMap<string, UnaryHandler>,
): UnaryServer {
  return new GrpcJsServer(options, handlers);
}

/**
 * Makes a channel; nothing is opened before `connect` or the first call.
 *
 * @throws Error that names the endpoint, when that cannot be parsed or the TLS material not be used
 */
export function createUnaryChannel(options: UnaryChannelOptions): UnaryChannel {
  return new GrpcJsChannel(options);
}
