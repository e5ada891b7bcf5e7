import { attributeNames, type InodeIdentityPaths, readInodeIdentity } from "@inode-gateway/inode";
import type { ResourceDetector } from "@opentelemetry/resources";

/**
 * Puts the identity of this process's container on the SDK's Resource: `container.cgroup.inode` and
 * `host.boot.id`, from which a gateway finds `container.id`.
 *
 * Gives no attribute at all when the process is not in a private cgroup namespace on cgroup v2,
 * since any other inode would name another container or none. Never throws, never waits.
 */
export const inodeDetector: ResourceDetector = createInodeDetector();

/** A detector that reads elsewhere than at the usual places, as tests need it. */
export function createInodeDetector(paths: InodeIdentityPaths = {}): ResourceDetector {
  return {
    detect() {
      const identity = readInodeIdentity(paths);
      if (identity === undefined) return { attributes: {} };
      const { inode, bootId } = identity;
      return {
        attributes: {
          [attributeNames.inode]: toAttributeValue(inode),
          ...(bootId === undefined ? {} : { [attributeNames.bootId]: bootId }),
        },
      };
    },
  };
}

// An SDK sends a safe integer as an OTLP int; above that a number would lose digits, so text is sent.
function toAttributeValue(inode: bigint): number | string {
  return inode <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(inode) : inode.toString();
}
