import { attributeNames } from "@inode-gateway/inode";
import type { AttributeValue } from "@inode-gateway/otlp";
import type { NodeNames } from "@inode-gateway/registry";

/** Why a Resource names no inode that could be looked up. */
export type InodeProblem = "no_inode" | "invalid_inode" | "invalid_device";

/** What one Resource says about the container it came from. */
export interface ResourceIdentity {
  /** 3 to 2^53 - 1; undefined together with an `inodeProblem`. */
  readonly inode: number | undefined;
  readonly inodeProblem: InodeProblem | undefined;
  /** The attribute that the inode was read from. */
  readonly inodeAttribute: string | undefined;
  /** st_dev of the inode's hierarchy, when it was sent. */
  readonly device: number | undefined;
  /** Lower-case UUID; undefined when absent or not a UUID. */
  readonly bootId: string | undefined;
  readonly hasInvalidBootId: boolean;
  /** Names of the node, for senders whose boot ID is missing or not the node's own. */
  readonly names: NodeNames;
  readonly hasNames: boolean;
  /** The sender's own `container.id`: undefined when absent or empty. */
  readonly containerId: AttributeValue;
}

/** Gives the value of one Resource attribute; undefined when it is absent. */
export type AttributeReader = (name: string) => AttributeValue;

/**
 * A kernfs inode of a container is above 2: 1 is the root of a hierarchy, and tmpfs and sysfs, which
 * a sender may have taken for cgroupfs, count from 1 as well.
 */
const MIN_INODE = 3;

/** The one alias that is an integer or nothing, as in datadog-agent's infraattributesprocessor. */
const DATADOG_INODE_ATTRIBUTE = "datadog.container.cgroup_inode";

const DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Reads a Resource's identity.
 *
 * An empty text counts as absent: it is what an unset variable leaves behind. The first inode
 * attribute that is present decides, even when its value is unusable: a second one is never guessed at.
 *
 * @param inodeAliases further attributes that may carry the inode, in order of precedence
 */
export function readResourceIdentity(
  read: AttributeReader,
  inodeAliases: readonly string[],
): ResourceIdentity {
  const inodeAttribute = [attributeNames.inode, ...inodeAliases].find(
    (name) => presentValue(read, name) !== undefined,
  );
  const inode = inodeAttribute === undefined ? undefined : readInode(read, inodeAttribute);
  const writtenDevice = presentValue(read, attributeNames.device);
  const device = writtenDevice === undefined ? undefined : toInteger(writtenDevice);
  const writtenBootId = presentValue(read, attributeNames.bootId);
  const bootId = toBootId(writtenBootId);
  const names = readNames(read);
  let inodeProblem: InodeProblem | undefined;
  if (inodeAttribute === undefined) inodeProblem = "no_inode";
  else if (inode === undefined) inodeProblem = "invalid_inode";
  else if (writtenDevice !== undefined && device === undefined) inodeProblem = "invalid_device";
  return {
    inode: inodeProblem === undefined ? inode : undefined,
    inodeProblem,
    inodeAttribute,
    device,
    bootId,
    hasInvalidBootId: writtenBootId !== undefined && bootId === undefined,
    names,
    hasNames: Object.keys(names).length > 0,
    containerId: presentValue(read, "container.id"),
  };
}

function presentValue(read: AttributeReader, name: string): AttributeValue {
  const value = read(name);
  return value === "" ? undefined : value;
}

function readInode(read: AttributeReader, name: string): number | undefined {
  const value = read(name);
  if (name === DATADOG_INODE_ATTRIBUTE && typeof value === "string") return undefined;
  const inode = toInteger(value);
  return inode === undefined || inode < MIN_INODE ? undefined : inode;
}

/** A whole number from 0 to 2^53 - 1, sent as an integer or as decimal text. */
function toInteger(value: AttributeValue): number | undefined {
  const isText = typeof value === "string";
  if (isText && !DECIMAL.test(value)) return undefined;
  if (!isText && typeof value !== "number" && typeof value !== "bigint") return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

function toBootId(value: AttributeValue): string | undefined {
  if (typeof value !== "string") return undefined;
  const bootId = value.toLowerCase();
  return UUID.test(bootId) ? bootId : undefined;
}

function readNames(read: AttributeReader): NodeNames {
  const names: { -readonly [Name in keyof NodeNames]: string } = {};
  const nodeName = presentValue(read, "k8s.node.name");
  if (typeof nodeName === "string") names.nodeName = nodeName;
  const hostId = presentValue(read, "host.id");
  if (typeof hostId === "string") names.hostId = hostId;
  const hostName = presentValue(read, "host.name");
  if (typeof hostName === "string") names.hostName = hostName;
  return names;
}
