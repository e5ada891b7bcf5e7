import type { ComponentSettings } from "@inode-gateway/contract";
import { storageFailures } from "./metrics.js";
import type { FoundQueue } from "./queue-directory.js";

/** What of the configuration does nothing here. */
export function keyWithoutEffect(settings: ComponentSettings, key: string): void {
  settings.logger.warn("this key has no effect: free pages of the data file are used again", {
    key,
  });
}

/** The data file was damaged and lies beside an empty one. */
export function fileMovedAside(
  settings: ComponentSettings,
  fields: { readonly file: string; readonly reason: string },
): void {
  settings.logger.error("the data file is damaged, an empty one takes its place", fields);
}

/** The file is used as it is. */
export function notCompacted(settings: ComponentSettings, reason: string): void {
  settings.logger.warn("the data file could not be compacted", { reason });
}

/** Records wait for a component that the configuration no longer has. */
export function queueWithoutOwner(settings: ComponentSettings, queue: FoundQueue): void {
  const { componentId: component, name } = queue.owner;
  settings.logger.warn("records of a queue that is not configured any more stay on disk", {
    component,
    queue: name,
    records: queue.records,
    items: queue.items,
  });
}

/** Records are refused: the disk, or what queues may take of it, is full or in trouble. */
export function appendsFailed(
  settings: ComponentSettings,
  failure: { readonly records: number; readonly reason: string; readonly isNews: boolean },
): void {
  const { isNews, reason, records } = failure;
  countFailures(settings, "append", records);
  if (!isNews) return;
  settings.logger.error("records cannot be stored, their senders are told to come again", {
    reason,
  });
  settings.reportState("recoverable_error", reason);
}

/** Records are stored again. */
export function appendsRecovered(settings: ComponentSettings): void {
  settings.logger.info("records are stored again");
  settings.reportState("ok");
}

/** Records that were delivered cannot be taken off the disk yet. */
export function removalsFailed(settings: ComponentSettings, records: number, reason: string): void {
  countFailures(settings, "remove", records);
  settings.logger.warn("delivered records cannot be removed yet", { reason });
}

/** Records that were delivered are still there at the end. */
export function removalsGivenUp(settings: ComponentSettings, records: number): void {
  settings.logger.warn("delivered records stay on disk and will be delivered again", { records });
}

/** A record cannot be read; its reader says which and why. */
export function readFailed(settings: ComponentSettings): void {
  countFailures(settings, "read", 1);
}

/** Nothing can be stored any more in this process. */
export function writerDied(settings: ComponentSettings, reason: string): void {
  settings.logger.error("the data file cannot be written to any more, restart the process", {
    reason,
  });
  settings.reportState("permanent_error", reason);
}

function countFailures(settings: ComponentSettings, operation: string, records: number): void {
  settings.meter.counter(storageFailures, { extension: settings.id, operation }).add(records);
}
