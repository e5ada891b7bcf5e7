import { defineExporter } from "@inode-gateway/contract";
import { signals } from "@inode-gateway/otlp";
import { isPersistent, storageReferences } from "../../delivery/config.js";
import { DeliveringExporter } from "../../delivery/delivering-exporter.js";
import { tracedSender } from "../../delivery/traced-sender.js";
import { authReferences } from "../../transport/exporter-auth.js";
import { otlpHttpConfig } from "./config.js";
import { HttpSender } from "./http-sender.js";
import { otlpHttpMetrics } from "./metrics.js";

/** Sends telemetry to one destination as OTLP over HTTP. */
export const otlpHttpExporter = defineExporter({
  type: "otlp_http",
  aliases: ["otlphttp"],
  signals,
  stability: "development",
  config: otlpHttpConfig,
  metrics: otlpHttpMetrics,
  exclusive: ({ sending_queue }) => isPersistent(sending_queue),
  extensions: (config) => [...storageReferences(config.sending_queue), ...authReferences(config)],
  create: (settings, config) => {
    const sender = new HttpSender(settings, settings.signal ?? "traces", config);
    return new DeliveringExporter(settings, tracedSender(settings, sender), {
      timeoutMs: config.timeout,
      retry: config.retry_on_failure,
      queue: config.sending_queue,
    });
  },
});
