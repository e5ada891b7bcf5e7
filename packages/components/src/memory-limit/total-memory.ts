import { readFile } from "node:fs/promises";
import { totalmem } from "node:os";
import { join, posix } from "node:path";

/** More mounts than any node has; mountinfo of a busy one has some thousand lines. */
const MOUNTS_MAX = 100_000;
/** The kernel's own limit of nesting is far below. */
const CGROUP_DEPTH_MAX = 256;

/** A mounted hierarchy that limits memory. */
interface MemoryHierarchy {
  /** Directory of the cgroup that the mount shows as its root, as the process's namespace names it. */
  readonly root: string;
  readonly mountPoint: string;
  readonly isV2: boolean;
}

/**
 * Bytes of memory this process may have at most: the smallest limit of its cgroup and those above
 * it, in every hierarchy that limits memory, and never more than the machine has.
 *
 * In a cgroup namespace of its own a process is in `/`, and the directory at the mount point is the
 * container's. Limits above what is mounted cannot be seen.
 *
 * @param rootFolder where `/proc` and `/sys` are, for tests
 * @param machineBytes what the machine has
 * @throws Error when a limit cannot be read or is no number
 */
export async function totalMemoryBytes(
  rootFolder = "/",
  machineBytes: number = totalmem(),
): Promise<number> {
  const [cgroups, mounts] = await Promise.all([
    readOrNothing(join(rootFolder, "proc/self/cgroup")),
    readOrNothing(join(rootFolder, "proc/self/mountinfo")),
  ]);
  if (cgroups === undefined || mounts === undefined) return machineBytes;
  let smallest = machineBytes;
  for (const hierarchy of memoryHierarchies(mounts)) {
    const own = ownCgroup(cgroups, hierarchy.isV2);
    if (own === undefined) continue;
    const limit = await smallestLimit(rootFolder, hierarchy, own);
    smallest = Math.min(smallest, limit);
  }
  return smallest;
}

/** The hierarchies in a mountinfo (proc_pid_mountinfo(5)) that may limit memory. */
function memoryHierarchies(mountinfo: string): readonly MemoryHierarchy[] {
  const found: MemoryHierarchy[] = [];
  for (const line of mountinfo.split("\n", MOUNTS_MAX)) {
    const [before, after] = line.split(" - ", 2);
    const [, , , root, mountPoint] = (before ?? "").split(" ");
    const [type, , options] = (after ?? "").split(" ");
    if (root === undefined || mountPoint === undefined || options === undefined) continue;
    const isV2 = type === "cgroup2";
    if (!isV2 && !(type === "cgroup" && options.split(",").includes("memory"))) continue;
    found.push({ root: unescaped(root), mountPoint: unescaped(mountPoint), isV2 });
  }
  return found;
}

// mountinfo writes space, tab, newline and backslash as three octal digits.
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** The process's directory in /proc/self/cgroup (cgroups(7)): `0::<path>`, or `<n>:memory:<path>`. */
function ownCgroup(cgroups: string, isV2: boolean): string | undefined {
  for (const line of cgroups.split("\n")) {
    const [, id, controllers, path] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    if (isV2 ? id === "0" && controllers === "" : controllers?.split(",").includes("memory")) {
      return path;
    }
  }
  return undefined;
}

async function smallestLimit(
  rootFolder: string,
  { isV2, mountPoint, root }: MemoryHierarchy,
  own: string,
): Promise<number> {
  const file = isV2 ? "memory.max" : "memory.limit_in_bytes";
  let directory = relativeTo(root, own);
  let smallest = Number.POSITIVE_INFINITY;
  for (let depth = 0; depth < CGROUP_DEPTH_MAX; depth++) {
    const path = join(rootFolder, mountPoint, directory, file);
    smallest = Math.min(smallest, await readLimit(path));
    if (directory === "/") return smallest;
    directory = posix.dirname(directory);
  }
  return smallest;
}

/** Where a cgroup is below a mount that shows `root`; the mount's own root when it is not below. */
function relativeTo(root: string, cgroup: string): string {
  const path = posix.normalize(`/${cgroup}`);
  if (root === "/") return path;
  if (path === root || !path.startsWith(`${root}/`)) return "/";
  return path.slice(root.length);
}

/** `max`, and v1's page-aligned 2^63, are more than any machine has. */
async function readLimit(path: string): Promise<number> {
  const text = (await readOrNothing(path))?.trim();
  // The root of a hierarchy has no limit file, nor has a cgroup without the memory controller.
  if (text === undefined || text === "max" || text === "-1") return Number.POSITIVE_INFINITY;
  if (!/^\d+$/.test(text)) {
    throw new Error(`${path} holds ${JSON.stringify(text.slice(0, 40))}, which is no limit`);
  }
  return Number(text);
}

async function readOrNothing(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
