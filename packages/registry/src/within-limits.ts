import type { ContainerRecord, Mapping, NodeRecord } from "./container-registry.js";
import { checkMapping, withinLimits } from "./limits.js";
import { fieldOf } from "./mapping-field.js";
import type { RegistryObserver } from "./registry-options.js";

/**
 * The mappings as they are stored: attributes sorted, those beyond the limits left out and reported,
 * and one record for all directories of a container, the last one given.
 *
 * @throws RangeError for an inode, device or container ID that cannot be stored at all
 */
export function mappingsWithinLimits(
  node: NodeRecord,
  mappings: readonly Mapping[],
  observer: RegistryObserver,
): Mapping[] {
  const records = new Map<string, ContainerRecord>();
  const checked = mappings.map((mapping) => {
    checkMapping(mapping);
    fieldOf(node, mapping);
    const { record, leftOut } = withinLimits(mapping.record);
    if (leftOut.length > 0) {
      observer.warning?.("attributes beyond the limits were left out of a container's record", {
        boot_id: node.bootId,
        container_id: record.containerId,
        left_out: leftOut.slice(0, 16),
      });
    }
    records.set(record.containerId, record);
    return { ...mapping, record };
  });
  return checked.map((mapping) => {
    const record = records.get(mapping.record.containerId) ?? mapping.record;
    return { ...mapping, record };
  });
}
