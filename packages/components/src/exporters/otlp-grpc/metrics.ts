import type { MetricDefinition } from "@inode-gateway/contract";
import { deliveryMetrics } from "../../delivery/metrics.js";

/** Everything the `otlp_grpc` exporter counts: what every exporter counts. */
export const otlpGrpcMetrics: readonly MetricDefinition[] = deliveryMetrics;
