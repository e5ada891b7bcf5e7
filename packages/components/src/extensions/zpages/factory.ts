import { defineExtension } from "@inode-gateway/contract";
import { zpagesConfig } from "./config.js";
import { zpagesMetrics } from "./metrics.js";
import { Zpages } from "./zpages.js";

/** Shows people what runs in this process, with the accounting identity of every pipeline. */
export const zpages = defineExtension({
  type: "zpages",
  stability: "development",
  config: zpagesConfig,
  metrics: zpagesMetrics,
  create: (settings, config) => new Zpages(settings, config),
});
