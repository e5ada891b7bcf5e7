import { type CgroupPathState, cgroupPathRoot, descend } from "@inode-gateway/inode";
import type { Place } from "./container-index.js";
import { type BytePath, type DirectoryFacts, nameAsText } from "./file-system.js";
import type { Hierarchy } from "./hierarchies.js";

/** Why a directory is neither remembered nor entered. */
export type SkipReason =
  | "max_depth"
  | "max_directories"
  | "max_directories_per_container"
  | "max_name_length"
  | "unsafe_inode";

/** One directory of a hierarchy, as it was when last looked at. */
export class CgroupDirectory {
  readonly hierarchy: Hierarchy;
  readonly parent: CgroupDirectory | undefined;
  /** One character per byte. */
  readonly name: string;
  readonly path: BytePath;
  /** Levels below the hierarchy's root. */
  readonly depth: number;
  readonly inode: number;
  readonly ownerUid: number;
  readonly state: CgroupPathState;
  /** By name; empty for most directories, so it is made with the first child. */
  children: Map<string, CgroupDirectory> | undefined;
  /** Sub-directories that limits kept out, by reason; undefined when there are none. */
  skipped: Map<SkipReason, number> | undefined;
  /** Nearest directory, this one included, whose name claims a container. */
  place: Place | undefined;
  /** The place under whose container this directory is published; undefined when it is not. */
  publishedAs: Place | undefined;
  /** Ends the watch; undefined while there is none. */
  stopWatch: (() => void) | undefined;
  isRemoved = false;

  private constructor(
    hierarchy: Hierarchy,
    parent: CgroupDirectory | undefined,
    name: string,
    path: BytePath,
    facts: DirectoryFacts,
  ) {
    this.hierarchy = hierarchy;
    this.parent = parent;
    this.name = name;
    this.path = path;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
    this.inode = facts.inode;
    this.ownerUid = facts.ownerUid;
    this.state =
      parent === undefined ? cgroupPathRoot : descend(parent.state, nameAsText(path, name));
  }

  /** The root of a hierarchy; it names no container and is never published. */
  static root(hierarchy: Hierarchy, facts: DirectoryFacts): CgroupDirectory {
    return new CgroupDirectory(hierarchy, undefined, "", hierarchy.path, facts);
  }

  /** A directory below `parent`, which does not list it yet; `path` is `childPath` of both. */
  static below(
    parent: CgroupDirectory,
    name: string,
    path: BytePath,
    facts: DirectoryFacts,
  ): CgroupDirectory {
    return new CgroupDirectory(parent.hierarchy, parent, name, path, facts);
  }

  /** How many sub-directories were counted when last looked at, skipped ones included. */
  get knownChildren(): number {
    let count = this.children?.size ?? 0;
    for (const skipped of this.skipped?.values() ?? []) count += skipped;
    return count;
  }
}
