import { defineExtension } from "@inode-gateway/contract";
import { fileStorageConfig } from "./config.js";
import { FileStorage } from "./file-storage.js";
import { fileStorageMetrics } from "./metrics.js";

/** Keeps sending queues in a file, so that they survive the process. */
export const fileStorage = defineExtension({
  type: "file_storage",
  stability: "development",
  config: fileStorageConfig,
  metrics: fileStorageMetrics,
  create: (settings, config) => new FileStorage(settings, config),
});
