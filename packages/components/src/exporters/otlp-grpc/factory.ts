import { defineExporter } from "@inode-gateway/contract";
import { signals } from "@inode-gateway/otlp";
import { isPersistent, storageReferences } from "../../delivery/config.js";
import { DeliveringExporter } from "../../delivery/delivering-exporter.js";
import { tracedSender } from "../../delivery/traced-sender.js";
import { authReferences } from "../../transport/exporter-auth.js";
import { otlpGrpcConfig } from "./config.js";
import { GrpcSender } from "./grpc-sender.js";
import { otlpGrpcMetrics } from "./metrics.js";

/** Sends telemetry to one destination as OTLP over gRPC. */
export const otlpGrpcExporter = defineExporter({
  type: "otlp_grpc",
  aliases: ["otlp"],
  signals,
  stability: "development",
  config: otlpGrpcConfig,
  metrics: otlpGrpcMetrics,
  exclusive: ({ sending_queue }) => isPersistent(sending_queue),
  extensions: (config) => [...storageReferences(config.sending_queue), ...authReferences(config)],
  create: (settings, config) =>
    new DeliveringExporter(settings, tracedSender(settings, new GrpcSender(settings, config)), {
      timeoutMs: config.timeout,
      retry: config.retry_on_failure,
      queue: config.sending_queue,
    }),
});
