import type { Clock } from "@inode-gateway/contract";
import { isPersistent, type SendingQueueConfig } from "./config.js";

/** How long cut-off deliveries may take to report back after everything was closed. */
export const AFTERMATH_MS_MAX = 1_000;
/** Time before a deadline that is left for what was cut off, and for the disk, of a queue on disk. */
export const PERSIST_MARGIN_MS = 1_000;

/** Until when anything is sent at a shutdown: a queue on disk leaves some time to write. */
export function sendUntilMs(
  queue: SendingQueueConfig | undefined,
  clock: Clock,
  deadlineMs: number,
): number {
  if (!isPersistent(queue)) return deadlineMs;
  const remainingMs = Math.max(0, deadlineMs - clock.nowMs());
  return deadlineMs - Math.min(PERSIST_MARGIN_MS, remainingMs / 4);
}
