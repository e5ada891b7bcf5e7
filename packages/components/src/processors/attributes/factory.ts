import { defineProcessor } from "@inode-gateway/contract";
import { AttributesProcessor } from "./attributes-processor.js";
import { attributesConfig } from "./config.js";

/** Changes the attributes of spans, log records and data points. */
export const attributesProcessor = defineProcessor({
  type: "attributes",
  signals: ["traces", "metrics", "logs"],
  stability: "development",
  config: attributesConfig,
  create: (settings, config, next) => new AttributesProcessor(settings, config, next),
});
