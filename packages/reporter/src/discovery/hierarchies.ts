import { realpathSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { cgroup2SuperMagic } from "@inode-gateway/inode";
import type { ReporterConfig } from "../reporter-config.js";
import { childPath, inspectDirectory, listDirectories, nameAsText } from "./file-system.js";

/** One cgroup hierarchy as it is mounted. */
export interface Hierarchy {
  /** Folder below `cgroup_root`, such as `memory` or `unified`; empty for `cgroup_root` itself. */
  readonly name: string;
  readonly path: string;
  readonly device: number;
  /** Whether keys carry the device: there is more than one hierarchy. */
  readonly isDeviceNeeded: boolean;
}

/** How a node mounts its cgroups. */
export interface NodeHierarchies {
  readonly kind: "v2" | "hybrid" | "v1";
  readonly hierarchies: readonly Hierarchy[];
  /** A mount that shows a part of its hierarchy only, such as a container's own; undefined when whole. */
  readonly partialRoot: string | undefined;
}

/** CGROUP_SUPER_MAGIC of Linux `include/uapi/linux/magic.h`: a v1 hierarchy. */
const cgroup1SuperMagic = 0x27e0eb;

/** Folders below a v1 or hybrid root that are looked at; Linux has fewer than 20 controllers. */
const maxHierarchies = 64;

/**
 * Finds the hierarchies to index, as stated or by asking the file system.
 *
 * @throws Error naming the key when there is nothing to read
 */
export function findHierarchies(config: ReporterConfig): NodeHierarchies {
  const root = realPath(config.cgroup_root);
  const facts = root === undefined ? undefined : inspectDirectory(root);
  if (root === undefined || facts === undefined) {
    throw new Error(
      `\`cgroup_root\` ${config.cgroup_root} is no readable directory: mount the node's /sys/fs/cgroup there, read-only is enough`,
    );
  }
  const isUnified = fileSystemType(root) === cgroup2SuperMagic;
  if (config.hierarchy === "v2" || (config.hierarchy === "auto" && isUnified)) {
    const hierarchy = { name: "", path: root, device: facts.device, isDeviceNeeded: false };
    return withPartialRoot("v2", [hierarchy]);
  }
  const folders = foldersOf(root);
  const found = config.hierarchy === "auto" ? folders.filter(isHierarchy) : folders;
  if (found.length === 0) {
    throw new Error(
      `\`cgroup_root\` ${config.cgroup_root} holds no cgroup hierarchy: mount the node's /sys/fs/cgroup there, or state \`hierarchy\` to read a plain directory tree`,
    );
  }
  const isHybrid =
    config.hierarchy === "auto"
      ? found.some(({ path }) => fileSystemType(path) === cgroup2SuperMagic)
      : config.hierarchy === "hybrid";
  return withPartialRoot(isHybrid ? "hybrid" : "v1", selected(found, config.hierarchies));
}

function foldersOf(root: string): Hierarchy[] {
  const seen = new Set<string>();
  const folders: Hierarchy[] = [];
  for (const bytes of (listDirectories(root) ?? []).sort().slice(0, maxHierarchies)) {
    const name = nameAsText(childPath(root, bytes), bytes);
    const path = join(root, name);
    const facts = inspectDirectory(path);
    // One hierarchy can be mounted twice, and would then be walked twice for the same keys.
    const identity = `${facts?.device}:${facts?.inode}`;
    if (facts === undefined || seen.has(identity)) continue;
    seen.add(identity);
    folders.push({ name, path, device: facts.device, isDeviceNeeded: true });
  }
  return folders;
}

function selected(found: readonly Hierarchy[], names: readonly string[]): readonly Hierarchy[] {
  if (names.length === 0) return found;
  const known = found.map(({ name }) => name);
  const missing = names.find((name) => !known.includes(name));
  if (missing !== undefined) {
    throw new Error(`\`hierarchies\` names "${missing}", mounted are ${known.join(", ")}`);
  }
  return found.filter(({ name }) => names.includes(name));
}

function withPartialRoot(
  kind: NodeHierarchies["kind"],
  hierarchies: readonly Hierarchy[],
): NodeHierarchies {
  // The root of every hierarchy is inode 1; any other number is a directory inside it.
  const partial = hierarchies.find(
    (hierarchy) => isHierarchy(hierarchy) && (inspectDirectory(hierarchy.path)?.inode ?? 1) !== 1,
  );
  return { kind, hierarchies, partialRoot: partial?.path };
}

function isHierarchy({ path }: { readonly path: string }): boolean {
  const type = fileSystemType(path);
  return type === cgroup2SuperMagic || type === cgroup1SuperMagic;
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function fileSystemType(path: string): number | undefined {
  try {
    return statfsSync(path).type;
  } catch {
    return undefined;
  }
}
