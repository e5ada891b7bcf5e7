import type { ComponentSettings } from "@inode-gateway/contract";

/** Redis cannot be asked; `reason` is a sentence for a person. */
export function redisLost(settings: ComponentSettings, reason: string): void {
  settings.logger.warn(
    "the registry in Redis is away: known containers still resolve, new ones pass unresolved",
    { reason },
  );
  settings.reportState("recoverable_error", `Redis is away: ${reason}`);
}

/** Redis can be asked. */
export function redisFound(settings: ComponentSettings): void {
  settings.logger.info("the registry in Redis is available");
  settings.reportState("ok");
}
