import type { ContainerRecord, InodeKey, Mapping, NodeRecord } from "./container-registry.js";

/** Limits on what may be published; the first rejected value is one more. */
export const registryLimits = {
  /**
   * Directories of one node, retained ones included. Some hundred are the rule; the limit keeps the
   * last doubling of a node's buckets, during which Redis answers nobody, at some 50 ms.
   */
  mappingsPerNode: 32_768,
  /** A name in Kubernetes, DNS and Linux is at most this long. */
  nameLength: 255,
  /** 64 in every common runtime; lxc allows names of 255. */
  containerIdLength: 255,
  attributesPerContainer: 64,
  attributeNameLength: 255,
  attributeValueLength: 4_096,
  /** Hierarchies of one node: v1 has at most 15 controllers. */
  devicesPerNode: 64,
  /** st_dev has 32 bits in the kernel; the last value is ours. */
  device: 0xffff_fffe,
  /** 1 and 2 are roots, never a container's directory. */
  inodeMin: 3,
} as const;

/** Names that an exported line uses for itself. */
export const reservedAttributeNames: ReadonlySet<string> = new Set([
  "boot_id",
  "device",
  "inode",
  "container_id",
]);

// A UUID in practice; wider, so that pretended nodes may have readable names. Braces would move
// the key to another slot of a Redis Cluster, so they must not pass.
const bootIdPattern = /^[0-9A-Za-z_.-]{1,64}$/;

/** Whether a key is one that a reporter could have published; others are answered without asking. */
export function isPlausibleKey(key: InodeKey): boolean {
  return isInode(key.inode) && (key.device === undefined || isDevice(key.device));
}

/** Whether text can be a boot ID: 1 to 64 characters of letters, digits, `_`, `.` and `-`. */
export function isBootId(text: string): boolean {
  return bootIdPattern.test(text);
}

/** Whether a number can be a container's inode: an integer from 3 to 2^53 - 1. */
export function isInode(value: number): boolean {
  return Number.isSafeInteger(value) && value >= registryLimits.inodeMin;
}

/** Whether a number can be an st_dev: an integer from 0 to 2^32 - 2. */
export function isDevice(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= registryLimits.device;
}

/** @throws RangeError when a node cannot be published as it is, naming the value and the limit */
export function checkNode(node: NodeRecord): void {
  if (!isBootId(node.bootId)) {
    throw new RangeError(
      `boot ID ${quote(node.bootId)} is not 1 to 64 letters, digits, "_", "." or "-"`,
    );
  }
  if (node.hostName === "") throw new RangeError(`host name of node ${node.bootId} is empty`);
  const texts = [
    node.nodeName,
    node.hostName,
    node.hostId,
    node.kernelRelease,
    node.reporterVersion,
  ];
  for (const text of texts) {
    if (text !== undefined && text.length > registryLimits.nameLength) {
      throw new RangeError(
        `${quote(text)} of node ${node.bootId} has ${text.length} characters, ` +
          `the limit is ${registryLimits.nameLength}`,
      );
    }
  }
  checkDevices(node);
}

function checkDevices(node: NodeRecord): void {
  const most = node.hierarchy === "v2" ? 1 : registryLimits.devicesPerNode;
  if (node.devices.length > most) {
    throw new RangeError(
      `node ${node.bootId} (${node.hierarchy}) declares ${node.devices.length} devices, ` +
        `the limit is ${most}`,
    );
  }
  for (const device of node.devices) {
    if (!isDevice(device)) {
      throw new RangeError(`device ${device} is not an integer from 0 to ${registryLimits.device}`);
    }
  }
}

/** @throws RangeError when a mapping's inode or container ID cannot be published */
export function checkMapping(mapping: Mapping): void {
  if (!isInode(mapping.inode)) {
    throw new RangeError(
      `inode ${mapping.inode} is not an integer from ${registryLimits.inodeMin} to 2^53 - 1`,
    );
  }
  const { length } = mapping.record.containerId;
  if (length === 0 || length > registryLimits.containerIdLength) {
    throw new RangeError(
      `container ID of inode ${mapping.inode} has ${length} characters, ` +
        `the limit is 1 to ${registryLimits.containerIdLength}`,
    );
  }
}

/**
 * The record with its attributes sorted by name and those beyond the limits left out.
 *
 * Attributes come from image labels and annotations; an odd one must not keep a container's ID from
 * being published, so it is left out instead of refused.
 */
export function withinLimits(record: ContainerRecord): {
  readonly record: ContainerRecord;
  readonly leftOut: readonly string[];
} {
  const attributes: Record<string, string | number> = {};
  const leftOut: string[] = [];
  let count = 0;
  for (const name of Object.keys(record.attributes).sort()) {
    const value = record.attributes[name];
    if (count < registryLimits.attributesPerContainer && isAttribute(name, value)) {
      attributes[name] = value;
      count++;
    } else {
      leftOut.push(name.slice(0, registryLimits.attributeNameLength));
    }
  }
  return { record: { containerId: record.containerId, attributes }, leftOut };
}

function isAttribute(name: string, value: unknown): value is string | number {
  if (name === "" || name === "__proto__" || reservedAttributeNames.has(name)) return false;
  if (name.length > registryLimits.attributeNameLength) return false;
  if (typeof value === "number") return Number.isFinite(value);
  return typeof value === "string" && value.length <= registryLimits.attributeValueLength;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
