import type { Signal } from "../signal.js";

/**
 * The way from the request down to its items: for each level which fields to enter, one bit per
 * field number. The last level's fields are the items.
 *
 * Requests, Resources and scopes are numbered alike in all signals; a metric has its points one level
 * further down, in a field of its type; a profile is counted by its samples.
 */
export const itemPaths: Readonly<Record<Signal, readonly number[]>> = {
  traces: [1 << 1, 1 << 2, 1 << 2],
  logs: [1 << 1, 1 << 2, 1 << 2],
  metrics: [1 << 1, 1 << 2, 1 << 2, (1 << 5) | (1 << 7) | (1 << 9) | (1 << 10) | (1 << 11), 1 << 1],
  profiles: [1 << 1, 1 << 2, 1 << 2, 1 << 2],
};

/** Whether a level's mask of `itemPaths` holds a field number. */
export function isOnPath(mask: number, fieldNumber: number): boolean {
  return fieldNumber < 32 && ((mask >>> fieldNumber) & 1) === 1;
}
