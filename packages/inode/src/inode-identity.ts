import { readFileSync, statfsSync, statSync } from "node:fs";

/** What an application sends of its own cgroup. */
export interface InodeIdentity {
  /** Inode of its cgroup directory, above 2. */
  readonly inode: bigint;
  /** Boot ID of its kernel, lower case with hyphens; undefined when it cannot be read. */
  readonly bootId: string | undefined;
}

/** Where the identity is read; the defaults are right in every container. */
export interface InodeIdentityPaths {
  /** Default `/sys/fs/cgroup`. */
  readonly cgroupRoot?: string;
  /** Default `/proc/sys/kernel/random/boot_id`. */
  readonly bootIdPath?: string;
}

/** CGROUP2_SUPER_MAGIC of Linux `include/uapi/linux/magic.h`. */
export const cgroup2SuperMagic = 0x63677270;

/**
 * Highest inode that is the root of a hierarchy and so no container's own directory: kernfs gives
 * the root 1, and 2 is refused as others refuse it.
 */
const maxRootInode = 2n;

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Reads the calling process's inode identity; never throws.
 *
 * Undefined unless the process is in a private cgroup namespace on cgroup v2: on v1 the folder is a
 * tmpfs, without a cgroup mount it is sysfs, and in the host's namespace it is the root, whose inode
 * would name no container. The identity does not change while a container runs: read it once.
 */
export function readInodeIdentity(paths: InodeIdentityPaths = {}): InodeIdentity | undefined {
  const { cgroupRoot = "/sys/fs/cgroup", bootIdPath = "/proc/sys/kernel/random/boot_id" } = paths;
  try {
    if (statfsSync(cgroupRoot).type !== cgroup2SuperMagic) return undefined;
    const { ino } = statSync(cgroupRoot, { bigint: true });
    if (ino <= maxRootInode) return undefined;
    return { inode: ino, bootId: readBootId(bootIdPath) };
  } catch {
    return undefined;
  }
}

/** Reads a boot ID file; undefined when it cannot be read or holds no UUID. Never throws. */
export function readBootId(path: string): string | undefined {
  try {
    const text = readFileSync(path, "latin1").trim().toLowerCase();
    return uuid.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}
