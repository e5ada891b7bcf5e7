import type { ComponentSettings } from "@inode-gateway/contract";
import { countAvailabilityChange } from "../../capabilities/registry-metrics.js";

/** Redis cannot be asked; `reason` is a sentence for a person. */
export function redisLost(settings: ComponentSettings, reason: string): void {
  countAvailabilityChange(settings, false);
  settings.logger.warn(
    "the registry in Redis is away: known containers still resolve, new ones pass unresolved",
    { reason },
  );
  redisStillAway(settings, reason);
}

/** Redis cannot be asked for another reason than before; only health checks show it. */
export function redisStillAway(settings: ComponentSettings, reason: string): void {
  settings.reportState("recoverable_error", `Redis is away: ${reason}`);
}

/** Redis can be asked. */
export function redisFound(settings: ComponentSettings): void {
  countAvailabilityChange(settings, true);
  settings.logger.info("the registry in Redis is available");
  settings.reportState("ok");
}
