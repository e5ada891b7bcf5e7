import { lstat, unlink } from "node:fs/promises";
import { connect } from "node:net";

/** How long a unix socket that is in the way is given to answer; a live server answers at once. */
const PROBE_TIMEOUT_MS = 1_000;

/**
 * Removes the file of a unix socket whose process is gone, so that the path can be listened on.
 *
 * Only a socket that refuses connections is removed: never another kind of file, and never one that
 * answers or stays silent.
 *
 * @returns whether the path is free now
 */
export async function removeStaleSocket(path: string): Promise<boolean> {
  try {
    if (!(await lstat(path)).isSocket()) return false;
    if (await isAnswering(path)) return false;
    await unlink(path);
    return true;
  } catch (error) {
    return hasCode(error, "ENOENT");
  }
}

function isAnswering(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => settle(true));
    socket.once("connect", () => settle(true));
    socket.once("error", (error) => settle(!hasCode(error, "ECONNREFUSED")));
  });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
