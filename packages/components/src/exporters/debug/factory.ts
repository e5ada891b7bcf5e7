import { defineExporter } from "@inode-gateway/contract";
import { signals } from "@inode-gateway/otlp";
import { isPersistent, storageReferences } from "../../delivery/config.js";
import { DeliveringExporter } from "../../delivery/delivering-exporter.js";
import { debugConfig } from "./config.js";
import { DebugSender } from "./debug-sender.js";
import { debugMetrics } from "./metrics.js";

/** Writes telemetry to the process's own log, for a person to read. */
export const debugExporter = defineExporter({
  type: "debug",
  signals,
  stability: "development",
  config: debugConfig,
  metrics: debugMetrics,
  exclusive: ({ sending_queue }) => isPersistent(sending_queue),
  extensions: ({ sending_queue }) => storageReferences(sending_queue),
  create: (settings, config) =>
    new DeliveringExporter(settings, new DebugSender(settings, config), {
      queue: config.sending_queue,
    }),
});
