import type { ComponentSettings } from "@inode-gateway/contract";
import { fileLoads } from "./metrics.js";

/** A version of the file is in use. */
export function fileLoaded(
  settings: ComponentSettings,
  file: string,
  counts: { readonly nodes: number; readonly mappings: number },
): void {
  const { id: extension, logger, meter } = settings;
  meter.counter(fileLoads, { extension, result: "loaded" }).add(1);
  logger.info("loaded the mapping file", { file, ...counts });
  settings.reportState("ok");
}

/** A version of the file cannot be used; the one before stays. */
export function fileRefused(settings: ComponentSettings, file: string, error: unknown): void {
  const { id: extension, logger, meter } = settings;
  meter.counter(fileLoads, { extension, result: "refused" }).add(1);
  const reason = error instanceof Error ? error.message : String(error);
  logger.error("refused the new mapping file, the mappings from before stay in use", {
    file,
    reason,
  });
  settings.reportState("recoverable_error", reason);
}
