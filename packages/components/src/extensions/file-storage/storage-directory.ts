import { constants } from "node:fs";
import { access, mkdir, open, stat } from "node:fs/promises";

/**
 * Looks whether the directory can be used, without changing anything.
 *
 * @throws Error that says what is wrong and what to do
 */
export async function checkDirectory(directory: string, mayCreate: boolean): Promise<void> {
  try {
    const found = await stat(directory);
    if (!found.isDirectory()) throw new Error(`\`directory\` ${directory} is not a directory`);
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" && mayCreate) return;
    if (code === undefined) throw error;
    throw directoryError(directory, error);
  }
}

/**
 * Makes the directory when that is wanted, and looks whether it can be used.
 *
 * @param permissions octal digits, before the umask
 * @throws Error as {@link checkDirectory}
 */
export async function prepareDirectory(
  directory: string,
  mayCreate: boolean,
  permissions: string,
): Promise<void> {
  if (mayCreate) {
    try {
      await mkdir(directory, { recursive: true, mode: Number.parseInt(permissions, 8) });
    } catch (error) {
      // A file of that name is said better below.
      if (codeOf(error) !== "EEXIST") throw directoryError(directory, error);
    }
  }
  await checkDirectory(directory, false);
}

/** Makes the names of new files in the directory durable. */
export async function flushDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What a failure in the directory means, for the operator. */
export function directoryError(directory: string, cause: unknown): Error {
  const code = codeOf(cause);
  if (code === "ENOENT") {
    const advice = "make it, or set `create_directory: true`";
    return new Error(`\`directory\` ${directory} does not exist: ${advice}`, { cause });
  }
  if (code === "ENOTDIR" || code === "EEXIST") {
    return new Error(`\`directory\` ${directory} is not a directory`, { cause });
  }
  return new Error(`\`directory\` ${directory} cannot be written to: ${reasonOf(cause)}`, {
    cause,
  });
}

/** The code of an error of the system, such as `ENOSPC`. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** What a thrown value says. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
