import type { UnaryChannel, UnaryChannelOptions } from "./unary-channel.js";
import type { UnaryHandler, UnaryServer, UnaryServerOptions } from "./unary-server.js";

export type { Metadata } from "./metadata.js";
export * from "./status.js";
export type { ClientTls, ServerTls, TlsVersion } from "./tls.js";
export type { UnaryCallOptions, UnaryChannel, UnaryChannelOptions } from "./unary-channel.js";
export type {
  ServerKeepalive,
  UnaryCall,
  UnaryHandler,
  UnaryServer,
  UnaryServerOptions,
} from "./unary-server.js";
export declare function createUnaryServer(
  options: UnaryServerOptions,
  handlers: ReadonlyMap<string, UnaryHandler>,
): UnaryServer;
export declare function createUnaryChannel(options: UnaryChannelOptions): UnaryChannel;
