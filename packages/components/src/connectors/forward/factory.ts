import { defineConnector } from "@inode-gateway/contract";
import { forwardConfig } from "./config.js";
import { ForwardConnector } from "./forward-connector.js";

/** Passes what some pipelines end with on to other pipelines of the same signal. */
export const forwardConnector = defineConnector({
  type: "forward",
  signals: ["traces", "metrics", "logs", "profiles"],
  stability: "development",
  config: forwardConfig,
  create: (_settings, _config, outputs) => new ForwardConnector(outputs),
});
