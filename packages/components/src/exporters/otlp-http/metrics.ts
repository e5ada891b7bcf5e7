import type { MetricDefinition } from "@inode-gateway/contract";
import { deliveryMetrics } from "../../delivery/metrics.js";

/** Everything the `otlp_http` exporter counts: what every exporter counts. */
export const otlpHttpMetrics: readonly MetricDefinition[] = deliveryMetrics;
