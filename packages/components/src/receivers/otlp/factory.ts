import { defineReceiver } from "@inode-gateway/contract";
import { otlpSignals } from "../../transport/otlp-names.js";
import { otlpReceiverConfig } from "./config.js";
import { otlpReceiverMetrics } from "./metrics.js";
import { OtlpReceiver } from "./otlp-receiver.js";

/** Receives OTLP over gRPC and HTTP. */
export const otlpReceiver = defineReceiver({
  type: "otlp",
  signals: otlpSignals,
  stability: "development",
  config: otlpReceiverConfig,
  metrics: otlpReceiverMetrics,
  create: (settings, config, outputs) => new OtlpReceiver(settings, config, outputs),
});
