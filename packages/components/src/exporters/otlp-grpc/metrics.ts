import type { MetricDefinition } from "@inode-gateway/contract";
import { deliveryMetrics } from "../../delivery/metrics.js";
import { tlsMetrics } from "../../transport/tls-metrics.js";

/** Everything the `otlp_grpc` exporter counts: what every exporter counts, and its certificates. */
export const otlpGrpcMetrics: readonly MetricDefinition[] = [...deliveryMetrics, ...tlsMetrics];
