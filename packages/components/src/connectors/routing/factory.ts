import { defineConnector } from "@inode-gateway/contract";
import { routingConfig } from "./config.js";
import { routingMetrics } from "./metrics.js";
import { RoutingConnector } from "./routing-connector.js";

/** Gives every part of a batch to the pipelines of the first route that it matches. */
export const routingConnector = defineConnector({
  type: "routing",
  signals: ["traces", "metrics", "logs"],
  stability: "development",
  config: routingConfig,
  metrics: routingMetrics,
  create: (settings, config, outputs) => new RoutingConnector(settings, config, outputs),
});
