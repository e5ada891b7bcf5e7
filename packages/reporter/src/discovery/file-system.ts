import { lstatSync, readdirSync } from "node:fs";

/**
 * A path as the kernel has it. A name in cgroupfs may be any bytes, so a path is text only while it
 * is printable ASCII, which it nearly always is, and bytes otherwise.
 */
export type BytePath = string | Buffer;

/** What one lstat tells of a directory. */
export interface DirectoryFacts {
  readonly inode: number;
  readonly device: number;
  /** 2 plus the number of sub-directories; 1 or 0 on file systems that do not count them. */
  readonly linkCount: number;
  readonly ownerUid: number;
}

const printableAscii = /^[ -~]*$/;

/** Looks at a directory; undefined when it is gone, no directory, or must not be seen. */
export function inspectDirectory(path: BytePath): DirectoryFacts | undefined {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined || !stats.isDirectory()) return undefined;
    return { inode: stats.ino, device: stats.dev, linkCount: stats.nlink, ownerUid: stats.uid };
  } catch {
    return undefined;
  }
}

/**
 * The names of a directory's sub-directories, symbolic links left out, one character per byte.
 *
 * Undefined when it cannot be read; whether it is gone, `inspectDirectory` tells.
 */
export function listDirectories(path: BytePath): string[] | undefined {
  try {
    const names: string[] = [];
    for (const entry of readdirSync(path, { withFileTypes: true, encoding: "latin1" })) {
      if (entry.isDirectory()) names.push(entry.name);
    }
    return names;
  } catch {
    return undefined;
  }
}

/** The path of a child whose name has one character per byte. */
export function childPath(parent: BytePath, name: string): BytePath {
  if (typeof parent === "string" && printableAscii.test(name)) return `${parent}/${name}`;
  return Buffer.concat([Buffer.from(parent), Buffer.from("/"), Buffer.from(name, "latin1")]);
}

/**
 * A name of one character per byte as text; bytes that are no UTF-8 become U+FFFD.
 *
 * `path` is the path that ends with it: while that is text, so is the name.
 */
export function nameAsText(path: BytePath, name: string): string {
  return typeof path === "string" ? name : Buffer.from(name, "latin1").toString("utf8");
}
