import { defineExporter } from "@inode-gateway/contract";
import { signals } from "@inode-gateway/otlp";
import { DeliveringExporter } from "../../delivery/delivering-exporter.js";
import { nopConfig } from "./config.js";
import { nopMetrics } from "./metrics.js";
import { NopSender } from "./nop-sender.js";

/** Takes telemetry and forgets it; for tests and for measuring what stands before it. */
export const nopExporter = defineExporter({
  type: "nop",
  signals,
  stability: "development",
  config: nopConfig,
  metrics: nopMetrics,
  create: (settings) => new DeliveringExporter(settings, new NopSender()),
});
