import type { MetricDefinition } from "@inode-gateway/contract";
import { registryMetrics } from "../../capabilities/registry-metrics.js";

/** Everything `redis_registry` counts. */
export const redisRegistryMetrics: readonly MetricDefinition[] = registryMetrics;
