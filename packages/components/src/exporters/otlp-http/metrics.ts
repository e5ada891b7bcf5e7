import type { MetricDefinition } from "@inode-gateway/contract";
import { deliveryMetrics } from "../../delivery/metrics.js";
import { tlsMetrics } from "../../transport/tls-metrics.js";

/** Everything the `otlp_http` exporter counts: what every exporter counts, and its certificates. */
export const otlpHttpMetrics: readonly MetricDefinition[] = [...deliveryMetrics, ...tlsMetrics];
