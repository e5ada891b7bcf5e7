import { CgroupDirectory, type SkipReason } from "./cgroup-directory.js";
import type { ContainerIndex } from "./container-index.js";
import {
  type BytePath,
  childPath,
  type DirectoryFacts,
  inspectDirectory,
  listDirectories,
} from "./file-system.js";
import type { Hierarchy } from "./hierarchies.js";
import { Slice } from "./slice.js";
import type { Watches } from "./watches.js";

/** Limits of one node's trees together. */
export interface TreeLimits {
  readonly maxDepth: number;
  readonly maxDirectories: number;
  readonly maxNameLength: number;
}

/** What all hierarchies of a node share. */
export interface TreeSettings {
  readonly index: ContainerIndex;
  readonly watches: Watches;
  readonly limits: TreeLimits;
  /** Directories known in all hierarchies; every tree counts into it. */
  readonly count: { directories: number };
  readonly nowMs: () => number;
}

/** What a sweep saw that no event had told. */
export interface SweepResult {
  readonly found: number;
  readonly unwatched: number;
}

/** cgroupfs and most file systems count a directory as 2 links and 1 more for each sub-directory. */
const linksOfLeaf = 2;

/**
 * The directories of one hierarchy, equal to the file system up to the events not yet read.
 *
 * `walk` reads everything once without watches, since what is there must be known soonest; `sweep`
 * then adds the watches and looks at every directory again, and so closes the gap between the two.
 * A directory is listed only when its link count says that a child came or went.
 */
export class DirectoryTree {
  readonly hierarchy: Hierarchy;
  readonly #settings: TreeSettings;
  readonly #directories = new Set<CgroupDirectory>();
  readonly #root: CgroupDirectory;
  /** Directories to look at, the newest first, so that a new container waits for no sweep. */
  readonly #urgent: CgroupDirectory[] = [];
  #drainScheduled: NodeJS.Immediate | undefined;
  #isFollowing = false;
  #isStopped = false;
  /** Directories added and removed since the beginning. */
  #changes = 0;

  /** @throws Error when the hierarchy's root cannot be read */
  constructor(hierarchy: Hierarchy, settings: TreeSettings) {
    this.hierarchy = hierarchy;
    this.#settings = settings;
    const facts = inspectDirectory(hierarchy.path);
    if (facts === undefined) throw new Error(`${hierarchy.path} is no readable directory`);
    this.#root = CgroupDirectory.root(hierarchy, facts);
    this.#directories.add(this.#root);
    settings.count.directories++;
  }

  /** Directories kept out by each limit now. */
  countSkipped(reason: SkipReason): number {
    let count = 0;
    for (const { skipped } of this.#directories) count += skipped?.get(reason) ?? 0;
    return count;
  }

  /** Reads the whole hierarchy once. */
  async walk(): Promise<void> {
    const stack = [this.#root];
    let slice = new Slice(this.#settings.nowMs);
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      for (const child of this.#list(next)) {
        if (child.mayHaveChildren) stack.push(child.directory);
      }
      if (slice.isUsedUp()) {
        await nextTurn();
        if (this.#isStopped) return;
        slice = new Slice(this.#settings.nowMs);
      }
    }
  }

  /** Looks at every directory again and watches those that are not watched. */
  async sweep(): Promise<SweepResult> {
    this.#isFollowing = true;
    let found = 0;
    let slice = new Slice(this.#settings.nowMs);
    // A copy: what events add meanwhile has been looked at, and must not keep the sweep from ending.
    for (const directory of [...this.#directories]) {
      const before = this.#changes;
      this.#check(directory);
      this.#drain();
      found += this.#changes - before;
      if (slice.isUsedUp()) {
        await nextTurn();
        if (this.#isStopped) break;
        slice = new Slice(this.#settings.nowMs);
      }
    }
    this.#drainInSlices();
    let unwatched = 0;
    for (const { stopWatch } of this.#directories) if (stopWatch === undefined) unwatched++;
    return { found, unwatched };
  }

  /** Ends every watch; nothing changes any more. */
  stop(): void {
    this.#isStopped = true;
    if (this.#drainScheduled) clearImmediate(this.#drainScheduled);
    for (const directory of this.#directories) endWatch(directory);
  }

  #onEvent(parent: CgroupDirectory, name: string | undefined): void {
    if (this.#isStopped || parent.isRemoved) return;
    if (name === undefined) {
      this.#urgent.push(parent);
    } else {
      const known = parent.children?.get(name);
      const path = childPath(parent.path, name);
      const facts = inspectDirectory(path);
      if (known !== undefined && known.inode !== facts?.inode) this.#remove(known);
      if (facts !== undefined && known?.inode !== facts.inode && this.#hasRoomFor(parent, name)) {
        const child = this.#add(parent, name, path, facts);
        if (child !== undefined) this.#urgent.push(child);
      }
    }
    this.#drainInSlices();
  }

  #drainInSlices(): void {
    if (this.#drainScheduled !== undefined) return;
    if (this.#drain()) return;
    this.#drainScheduled = setImmediate(() => {
      this.#drainScheduled = undefined;
      this.#drainInSlices();
    });
  }

  /** True when nothing is left to look at. */
  #drain(): boolean {
    const slice = new Slice(this.#settings.nowMs);
    for (let next = this.#urgent.pop(); next !== undefined; next = this.#urgent.pop()) {
      this.#check(next);
      if (slice.isUsedUp()) return this.#urgent.length === 0;
    }
    return true;
  }

  /** Watches a directory first and looks at it then, so that nothing can happen in between. */
  #check(directory: CgroupDirectory): void {
    if (directory.isRemoved || this.#isStopped) return;
    if (this.#isFollowing && directory.stopWatch === undefined) this.#watch(directory);
    const facts = inspectDirectory(directory.path);
    const { parent } = directory;
    if (parent === undefined) {
      // A root that is not readable for the moment stays the root.
      if (facts === undefined) this.#removeChildren(directory);
      else this.#compare(directory, facts);
      return;
    }
    if (facts?.inode === directory.inode) {
      this.#compare(directory, facts);
      return;
    }
    this.#remove(directory);
    this.#urgent.push(parent);
  }

  #compare(directory: CgroupDirectory, { linkCount }: DirectoryFacts): void {
    const isCounted = linkCount >= linksOfLeaf;
    const isSame = isCounted && linkCount - linksOfLeaf === directory.knownChildren;
    if (isSame && directory.skipped === undefined) return;
    for (const { directory: child } of this.#list(directory)) this.#urgent.push(child);
  }

  /** Makes a directory's children equal to the file system; returns the new ones. */
  #list(directory: CgroupDirectory): NewDirectory[] {
    const names = listDirectories(directory.path) ?? [];
    directory.skipped = undefined;
    const present = new Set(names);
    for (const child of [...(directory.children?.values() ?? [])]) {
      if (!present.has(child.name)) this.#remove(child);
    }
    const added: NewDirectory[] = [];
    for (const name of names) {
      if (directory.children?.has(name) || !this.#hasRoomFor(directory, name)) continue;
      const path = childPath(directory.path, name);
      const facts = inspectDirectory(path);
      const child = facts && this.#add(directory, name, path, facts);
      if (child === undefined) continue;
      added.push({ directory: child, mayHaveChildren: facts?.linkCount !== linksOfLeaf });
    }
    return added;
  }

  // Asked before a directory is looked at, so that a container which makes more than its share
  // costs no more than the listing of their names.
  #hasRoomFor(parent: CgroupDirectory, name: string): boolean {
    const reason = this.#reasonToSkip(parent, name);
    if (reason !== undefined) skip(parent, reason);
    return reason === undefined;
  }

  #add(
    parent: CgroupDirectory,
    name: string,
    path: BytePath,
    facts: DirectoryFacts,
  ): CgroupDirectory | undefined {
    if (!Number.isSafeInteger(facts.inode)) {
      skip(parent, "unsafe_inode");
      return undefined;
    }
    const directory = CgroupDirectory.below(parent, name, path, facts);
    parent.children ??= new Map();
    parent.children.set(name, directory);
    this.#directories.add(directory);
    this.#settings.count.directories++;
    this.#changes++;
    this.#settings.index.add(directory);
    return directory;
  }

  #reasonToSkip(parent: CgroupDirectory, name: string): SkipReason | undefined {
    const { limits, count, index } = this.#settings;
    if (name.length > limits.maxNameLength) return "max_name_length";
    if (parent.depth >= limits.maxDepth) return "max_depth";
    if (count.directories >= limits.maxDirectories) return "max_directories";
    return index.hasRoomBelow(parent) ? undefined : "max_directories_per_container";
  }

  #removeChildren(directory: CgroupDirectory): void {
    for (const child of [...(directory.children?.values() ?? [])]) this.#remove(child);
    directory.skipped = undefined;
  }

  // Depth is bounded by `max_depth`, and with it the recursion.
  #remove(directory: CgroupDirectory): void {
    this.#removeChildren(directory);
    directory.isRemoved = true;
    endWatch(directory);
    directory.parent?.children?.delete(directory.name);
    this.#directories.delete(directory);
    this.#settings.count.directories--;
    this.#changes++;
    this.#settings.index.remove(directory);
  }

  #watch(directory: CgroupDirectory): void {
    directory.stopWatch = this.#settings.watches.add(
      directory.path,
      (name) => this.#onEvent(directory, name),
      () => {
        directory.stopWatch = undefined;
      },
    );
  }
}

interface NewDirectory {
  readonly directory: CgroupDirectory;
  /** False when its link count said at the time that it had none. */
  readonly mayHaveChildren: boolean;
}

function skip(parent: CgroupDirectory, reason: SkipReason): void {
  parent.skipped ??= new Map();
  parent.skipped.set(reason, (parent.skipped.get(reason) ?? 0) + 1);
}

function endWatch(directory: CgroupDirectory): void {
  directory.stopWatch?.();
  directory.stopWatch = undefined;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
