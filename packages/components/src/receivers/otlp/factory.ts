import { defineReceiver } from "@inode-gateway/contract";
import { signals } from "@inode-gateway/otlp";
import { admissionReferences } from "./admission.js";
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
  extensions: ({ protocols: { grpc, http } }) => [
    ...(grpc === undefined ? [] : admissionReferences(grpc, ["protocols", "grpc"])),
    ...(http === undefined ? [] : admissionReferences(http, ["protocols", "http"])),
  ],
  create: (settings, config, outputs) => new OtlpReceiver(settings, config, outputs),
});
