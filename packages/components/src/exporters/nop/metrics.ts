import type { MetricDefinition } from "@inode-gateway/contract";
import { deliveryMetrics } from "../../delivery/metrics.js";

/** Everything the `nop` exporter counts: what every exporter counts. */
export const nopMetrics: readonly MetricDefinition[] = deliveryMetrics;
