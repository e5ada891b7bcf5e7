import type { MetricDefinition } from "@inode-gateway/contract";
import { deliveryMetrics } from "../../delivery/metrics.js";

/** Everything the `debug` exporter counts: what every exporter counts. */
export const debugMetrics: readonly MetricDefinition[] = deliveryMetrics;
