import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmdirSync, statfsSync } from "node:fs";
import { dirname, join } from "node:path";

const cgroup2SuperMagic = 0x63677270;

/**
 * Where this machine mounts cgroup v2, on a unified or a hybrid one.
 *
 * @throws Error when it is mounted at neither place
 */
export function hostCgroup2Path(): string {
  for (const path of ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]) {
    if (existsSync(path) && statfsSync(path).type === cgroup2SuperMagic) return path;
  }
  throw new Error("no cgroup v2 file system is mounted at /sys/fs/cgroup or below it: mount one");
}

/** 64 random hexadecimal characters, as container runtimes name containers. */
export function randomContainerId(): string {
  return randomBytes(32).toString("hex");
}

/** A tree of real cgroups under a name of its own; needs root. Nothing else is touched. */
export class CgroupTree {
  /** The tree's own directory. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes the tree's own directory, directly below the hierarchy's root unless told otherwise. */
  static create(parent = hostCgroup2Path()): CgroupTree {
    const path = join(
      parent,
      `inode-gateway-test-${process.pid}-${randomBytes(6).toString("hex")}`,
    );
    mkdirSync(path);
    return new CgroupTree(path);
  }

  /** Makes a cgroup, with its parents; returns its path. */
  make(...segments: readonly string[]): string {
    const path = join(this.path, ...segments);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** Removes one empty cgroup. */
  remove(...segments: readonly string[]): void {
    rmdirSync(join(this.path, ...segments));
  }

  /** Removes the whole tree, deepest first; cgroups with processes in them stay and throw EBUSY. */
  dispose(): void {
    if (existsSync(this.path)) removeDirectories(Buffer.from(this.path));
  }
}

/**
 * Starts a command inside a cgroup, in a private cgroup namespace with a fresh cgroup2 mount, as a
 * container runtime does on a unified node; needs root and `unshare` (util-linux).
 */
export function spawnInCgroupNamespace(
  cgroup: string,
  command: readonly string[],
  options: SpawnOptions = {},
): ChildProcess {
  const enter =
    'echo $$ > "$1/cgroup.procs" && shift && exec unshare --cgroup --mount --propagation private' +
    ` sh -c 'umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"' _ "$@"`;
  return spawn("sh", ["-c", enter, "_", cgroup, ...command], options);
}

// Names are bytes: a test may make one that is no UTF-8.
function removeDirectories(path: Buffer): void {
  for (const entry of readdirSync(path, { withFileTypes: true, encoding: "buffer" })) {
    if (entry.isDirectory()) removeDirectories(Buffer.concat([path, Buffer.from("/"), entry.name]));
  }
  rmdirSync(path);
}

/**
 * Removes a cgroup and the parents that became empty, up to the hierarchy's root; what is in use
 * stays.
 *
 * @param path below the hierarchy's root, such as `/docker/<id>`
 */
export function removeCgroup(hierarchy: string, path: string): void {
  const ownPath = join(hierarchy, path);
  if (existsSync(ownPath)) removeDirectories(Buffer.from(ownPath));
  for (let parent = dirname(path); parent !== "/"; parent = dirname(parent)) {
    if (!removeIfEmpty(join(hierarchy, parent))) return;
  }
}

function removeIfEmpty(path: string): boolean {
  try {
    rmdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EBUSY" || code === "ENOTEMPTY") return false;
    if (code !== "ENOENT") throw error;
  }
  return true;
}
