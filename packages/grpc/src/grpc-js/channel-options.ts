import { type ChannelOptions, compressionAlgorithms } from "@grpc/grpc-js";
import type { ChannelEndpoint } from "../channel-endpoint.js";
import type { MessageCompression, UnaryChannelOptions } from "../unary-channel.js";
import { TIMER_MS_MAX } from "../wait-until.js";
import { FLOW_CONTROL_WINDOW_BYTES } from "./window.js";

/** Largest response unless configured: the limit OTLP recommends for responses. */
export const RESPONSE_BYTES_MAX_DEFAULT = 4_194_304;

/**
 * Longest pause between two tries to connect. gRPC's default of two minutes would keep a backend that
 * is back waiting; the exporters' own retry pauses at most this long.
 */
const RECONNECT_BACKOFF_MS_MAX = 30_000;

/** Translates the options of a channel into those of grpc-js. */
export function grpcJsChannelOptions(
  options: UnaryChannelOptions,
  endpoint: ChannelEndpoint,
  compression: MessageCompression,
): ChannelOptions {
  const { authority, userAgent, keepalive, loadBalancing } = options;
  return {
    "grpc.max_receive_message_length": options.maxReceiveMessageBytes ?? RESPONSE_BYTES_MAX_DEFAULT,
    "grpc.max_send_message_length": -1,
    "grpc.max_reconnect_backoff_ms": RECONNECT_BACKOFF_MS_MAX,
    "grpc.enable_channelz": 0,
    // Connections of its own: two channels to one place are two, and closing one closes its own.
    "grpc.use_local_subchannel_pool": 1,
    // No TXT look-up beside every resolution.
    "grpc.service_config_disable_resolution": 1,
    "grpc-node.flow_control_window": FLOW_CONTROL_WINDOW_BYTES,
    // A proxy of the environment is meant for others, not for this machine.
    ...(endpoint.isLocal && { "grpc.enable_http_proxy": 0 }),
    ...(loadBalancing !== undefined && {
      "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ [loadBalancing]: {} }] }),
    }),
    ...(compression === "gzip" && {
      "grpc.default_compression_algorithm": compressionAlgorithms.gzip,
    }),
    ...(authority !== undefined && { "grpc.default_authority": authority }),
    ...(userAgent !== undefined && { "grpc.primary_user_agent": userAgent }),
    ...(keepalive !== undefined && {
      "grpc.keepalive_time_ms": Math.min(keepalive.timeMs, TIMER_MS_MAX),
      "grpc.keepalive_timeout_ms": Math.min(keepalive.timeoutMs, TIMER_MS_MAX),
      "grpc.keepalive_permit_without_calls": keepalive.permitWithoutStream ? 1 : 0,
    }),
  };
}
