import { randomBytes } from "node:crypto";
import { type FileHandle, link, open, readdir, unlink } from "node:fs/promises";
import { createConnection, createServer, type Server } from "node:net";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import type { Clock } from "@inode-gateway/contract";
import { codeOf, directoryError } from "./storage-directory.js";

/** Sockets by which a process claims the directory; every claim has a name that is used once. */
const CLAIM = /^owner-.*\.sock$/;
/** How often a directory that is held is looked at again within the time to wait, on average. */
const POLL_MS = 50;
/** How long the holder may take to say who it is; whether it lives is known before. */
const ANSWER_MS_MAX = 500;
/** What a holder says of itself, in characters. */
const ANSWER_LENGTH_MAX = 512;
/** The longest path of a unix socket that every system takes. */
const SOCKET_PATH_BYTES_MAX = 100;

/** What a lock is acquired with. */
export interface DirectoryLockOptions {
  readonly directory: string;
  /** What the holder is called in the message that others get. */
  readonly owner: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** How long a directory that is held is waited for. */
  readonly timeoutMs: number;
}

/**
 * Holds a directory for one process: a unix socket in it that answers as long as the process lives.
 *
 * A socket that nobody listens on is what a killed process left, and is removed. Process IDs are not
 * compared, so that containers that share a volume see each other although each of them is process 1.
 * Hosts that share a network file system do not see each other.
 *
 * Safe against others that come at the same time: a claim answers before it is visible, and whoever
 * sees another living claim after making its own takes its own back. So of two that meet at least one
 * gives way; when both do, they come again after a random time.
 */
export class DirectoryLock {
  readonly #claim: string;
  readonly #server: Server;
  readonly #directory: FileHandle;

  private constructor(claim: string, server: Server, directory: FileHandle) {
    this.#claim = claim;
    this.#server = server;
    this.#directory = directory;
  }

  /** @throws Error when it is still held after the time to wait, or cannot be written to */
  static async acquire(options: DirectoryLockOptions): Promise<DirectoryLock> {
    const { directory } = options;
    const handle = await open(directory, "r");
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      const answer = `process ${process.pid} on host ${hostname()}, ${options.owner}`;
      socket.end(answer, () => socket.destroy());
    });
    const name = `owner-${process.pid}-${randomBytes(6).toString("hex")}`;
    const hidden = join(directory, `.${name}`);
    const claim = join(directory, `${name}.sock`);
    try {
      await listen(server, socketPath(directory, handle.fd, `.${name}`));
      await waitForTurn(hidden, claim, handle, options);
      // Until here it keeps the process alive: a start that waits must not end by itself.
      server.unref();
      return new DirectoryLock(claim, server, handle);
    } catch (error) {
      await unlink(claim).catch(() => undefined);
      await close(server);
      await handle.close();
      throw codeOf(error) === undefined ? error : directoryError(directory, error);
    } finally {
      await unlink(hidden).catch(() => undefined);
    }
  }

  /** Lets the directory go. */
  async release(): Promise<void> {
    await unlink(this.#claim).catch(() => undefined);
    await close(this.#server);
    await this.#directory.close();
  }
}

async function waitForTurn(
  hidden: string,
  claim: string,
  handle: FileHandle,
  options: DirectoryLockOptions,
): Promise<void> {
  const { clock, directory } = options;
  const deadlineMs = clock.nowMs() + options.timeoutMs;
  for (;;) {
    await link(hidden, claim);
    const holder = await otherHolder(directory, basename(claim), handle);
    if (holder === undefined) return;
    await unlink(claim);
    if (clock.nowMs() >= deadlineMs) {
      throw new Error(
        `\`directory\` ${directory} is in use by ${holder}: ` +
          "give every replica and every `file_storage` a directory of its own",
      );
    }
    const delayMs = POLL_MS * (0.5 + options.random());
    await new Promise<void>((resolve) => clock.setTimer(delayMs, resolve));
  }
}

/** Who else claims the directory and lives; the claims of the dead are removed. */
async function otherHolder(
  directory: string,
  own: string,
  handle: FileHandle,
): Promise<string | undefined> {
  for (const name of await readdir(directory)) {
    if (!CLAIM.test(name) || name === own) continue;
    const holder = await askHolder(socketPath(directory, handle.fd, name));
    if (holder !== undefined) return holder;
    await unlink(join(directory, name)).catch(() => undefined);
  }
  return undefined;
}

/** What the process that listens says of itself; undefined when nobody listens. */
function askHolder(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = createConnection(path);
    socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy());
    let isAlive = false;
    socket.on("connect", () => {
      isAlive = true;
    });
    socket.on("data", (text: Buffer) => {
      answer = (answer + text.toString()).slice(0, ANSWER_LENGTH_MAX);
    });
    // A full backlog or a lack of permission is no proof of death.
    socket.on("error", (error) => {
      if (codeOf(error) !== "ECONNREFUSED" && codeOf(error) !== "ENOENT") isAlive = true;
    });
    socket.on("close", () => {
      resolve(isAlive ? answer || "another process, which does not answer" : undefined);
    });
  });
}

/** A short name of a socket in the directory: paths of sockets are limited to about 100 bytes. */
function socketPath(directory: string, directoryFd: number, name: string): string {
  const path = join(directory, name);
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return path;
  return `/proc/self/fd/${directoryFd}/${name}`;
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
