import { constants } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@inode-gateway/contract";
import { checkDataFile } from "./check-data-file.js";
import { DATA_FILE_NAME } from "./data-file.js";
import { codeOf, flushDirectory, reasonOf } from "./storage-directory.js";

/** What is done with the file before it is used. */
export interface DataFileStart {
  readonly directory: string;
  readonly fileBytesMax: number;
  readonly mayMoveAside: boolean;
  readonly compacts: boolean;
}

/** What happened to the file. */
export interface PreparedFile {
  readonly moved?: MovedFile;
  /** Why it was not compacted although that was wanted. */
  readonly compactFailure?: string | undefined;
}

/** A damaged file, and the name it has now. */
export interface MovedFile {
  readonly file: string;
  readonly reason: string;
}

/**
 * Checks the data file, compacts it when wanted, and moves a damaged one aside, so that what follows
 * finds a sound file or none.
 *
 * The directory must be locked: what a killed process left beside the file is removed.
 *
 * @throws Error when the file is damaged and may not be moved, or cannot be checked
 */
export async function prepareDataFile(start: DataFileStart, clock: Clock): Promise<PreparedFile> {
  const { compacts, directory, fileBytesMax } = start;
  const path = join(directory, DATA_FILE_NAME);
  const copy = `${path}.compact`;
  // Readers of a killed process would keep pages from being used again, its locks are of no use.
  await rm(`${path}-lock`, { force: true });
  await rm(copy, { force: true, recursive: true });
  await protectDataFile(path);
  if (!(await isThere(path))) return {};
  const request = { path, fileBytesMax, compactTo: compacts ? copy : undefined };
  const answer = await checkDataFile(request, clock);
  await rm(`${path}-lock`, { force: true });
  if (answer.outcome === "unreadable") {
    throw new Error(`the data file ${path} cannot be read: ${answer.reason}`);
  }
  if (answer.outcome === "damaged") {
    const moved = await moveAside(start, path, answer.reason, clock);
    await protectDataFile(path);
    return { moved };
  }
  const { compactFailure } = answer;
  if (compactFailure !== undefined) await rm(copy, { force: true, recursive: true });
  else if (compacts) await replace(directory, copy, path);
  return { compactFailure };
}

/**
 * Makes an empty file unless there is one, which its owner alone may read before anything is in it.
 *
 * A link is not followed: in a directory where others may write, it would lead to a file of theirs.
 */
async function protectDataFile(path: string): Promise<void> {
  try {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
    const file = await open(path, flags, 0o600);
    try {
      if (!(await file.stat()).isFile()) throw new Error("it is no file");
      await file.chmod(0o600);
    } finally {
      await file.close();
    }
  } catch (error) {
    const reason = codeOf(error) === "ELOOP" ? "it is a symbolic link" : reasonOf(error);
    throw new Error(`the data file ${path} cannot be used: ${reason}`, { cause: error });
  }
}

async function moveAside(
  { directory, mayMoveAside }: DataFileStart,
  path: string,
  reason: string,
  clock: Clock,
): Promise<MovedFile> {
  if (!mayMoveAside) {
    throw new Error(
      `the data file ${path} is damaged: ${reason}; ` +
        "move it away, or set `recreate: true` to begin an empty one",
    );
  }
  const time = new Date(clock.unixMs()).toISOString().replaceAll(":", "-");
  const file = `${path}.damaged-${time}`;
  await rename(path, file);
  await flushDirectory(directory);
  return { file, reason };
}

async function replace(directory: string, copy: string, path: string): Promise<void> {
  const handle = await open(copy, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(copy, path);
  await flushDirectory(directory);
}

async function isThere(path: string): Promise<boolean> {
  try {
    // lmdb begins an empty file anew.
    return (await stat(path)).size > 0;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}
