import { defineReceiver } from "@inode-gateway/contract";
import { signals } from "@inode-gateway/otlp";
import { otlpReceiverConfig } from "./config.js";
import { otlpReceiverMetrics } from "./metrics.js";
import { OtlpReceiver } from "./otlp-receiver.js";

/** Receives OTLP over gRPC and HTTP. */
export const otlpReceiver = defineReceiver({
  type: "otlp",
  signals,
  stability: "development",
  config: otlpReceiverConfig,
  metrics: otlpReceiverMetrics,
  create: (settings, config, outputs) => new OtlpReceiver(settings, config, outputs),
});
