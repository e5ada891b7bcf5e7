import { countItems, FieldCursor, LENGTH_DELIMITED, type Signal } from "@inode-gateway/otlp";

/** Field 1 of every request: the list of ResourceSpans, ResourceMetrics or ResourceLogs. */
const RESOURCE_LIST_FIELD = 1;

/**
 * Counts the items below each Resource of a checked request.
 *
 * @param report called in wire order for every ResourceSpans and its like, also one without a Resource
 */
export function countItemsByResource(
  signal: Signal,
  bytes: Uint8Array,
  report: (index: number, items: number) => void,
): void {
  const entry = new FieldCursor(bytes, 0, bytes.length);
  let index = 0;
  while (entry.next()) {
    if (entry.number !== RESOURCE_LIST_FIELD || entry.wireType !== LENGTH_DELIMITED) continue;
    // One entry is a whole request of its own, tag and length included.
    report(index, countItems(signal, bytes.subarray(entry.fieldStart, entry.contentEnd)));
    index++;
  }
}
