import type { MappingKey, NodeRecord } from "./container-registry.js";
import { isDevice, isInode } from "./limits.js";

/** What of a node decides how its keys are written. */
export type NodeHierarchy = Pick<NodeRecord, "bootId" | "hierarchy" | "devices">;

/**
 * The name of a mapping inside its node: the inode alone on the pure v2 hierarchy, where it is
 * unique and short, else `<inode>@<device>`.
 *
 * @throws RangeError when the device contradicts what the node declares, or the inode is no inode
 */
export function fieldOf(node: NodeHierarchy, key: MappingKey): string {
  if (!isInode(key.inode)) {
    throw new RangeError(`inode ${key.inode} is not an integer from 3 to 2^53 - 1`);
  }
  if (node.hierarchy === "v2") {
    if (key.device === undefined || key.device === node.devices[0]) return String(key.inode);
    throw new RangeError(
      `inode ${key.inode} is on device ${key.device}, but node ${node.bootId} is pure v2 and ` +
        `declares ${node.devices[0] ?? "no device"}`,
    );
  }
  if (key.device === undefined) {
    throw new RangeError(
      `inode ${key.inode} has no device, which node ${node.bootId} (${node.hierarchy}) needs`,
    );
  }
  if (!node.devices.includes(key.device)) {
    throw new RangeError(
      `inode ${key.inode} is on device ${key.device}, which node ${node.bootId} does not declare`,
    );
  }
  return `${key.inode}@${key.device}`;
}

/** The key that a field names, or undefined when the text is no field. */
export function keyOfField(field: string): MappingKey | undefined {
  const at = field.indexOf("@");
  const inode = Number(at < 0 ? field : field.slice(0, at));
  if (!isInode(inode)) return undefined;
  if (at < 0) return { inode };
  const device = Number(field.slice(at + 1));
  return isDevice(device) ? { inode, device } : undefined;
}

/** The name under which a reporter claims a boot ID. */
export function claimOf(node: NodeRecord): string {
  return node.nodeName === undefined || node.nodeName === "" ? node.hostName : node.nodeName;
}
