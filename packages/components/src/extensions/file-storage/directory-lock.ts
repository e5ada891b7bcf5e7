import { randomBytes } from "node:crypto";
import { type FileHandle, link, open, rename, unlink } from "node:fs/promises";
import { createConnection, createServer, type Server } from "node:net";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import type { Clock } from "@inode-gateway/contract";
import { codeOf, directoryError } from "./storage-directory.js";

const LOCK_NAME = "owner.sock";
/** How often a directory that is held is looked at again within the time to wait. */
const POLL_MS = 50;
/** How long the holder may take to say who it is; whether it lives is known before. */
const ANSWER_MS_MAX = 500;
/** What a holder says of itself, in characters. */
const ANSWER_LENGTH_MAX = 512;
/** The longest path of a unix socket that every system takes. */
const SOCKET_PATH_BYTES_MAX = 100;
/** Abandoned sockets that are met in a row before it is given up. */
const STALE_MAX = 16;

/**
 * Holds a directory for one process: a unix socket in it that answers as long as the process lives.
 *
 * A socket that nobody listens on is what a killed process left, and is taken over at once. Process
 * IDs are not compared, so that containers that share a volume see each other although each of them
 * is process 1. Hosts that share a network file system do not see each other.
 */
export class DirectoryLock {
  readonly #path: string;
  readonly #server: Server;
  readonly #directory: FileHandle;

  private constructor(path: string, server: Server, directory: FileHandle) {
    this.#path = path;
    this.#server = server;
    this.#directory = directory;
  }

  /**
   * Waits until the directory is free.
   *
   * @param owner what the holder is called in the message that others get
   * @throws Error when it is still held after `timeoutMs`, or cannot be written to
   */
  static async acquire(
    directory: string,
    owner: string,
    clock: Clock,
    timeoutMs: number,
  ): Promise<DirectoryLock> {
    const handle = await open(directory, "r");
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      const answer = `process ${process.pid} on host ${hostname()}, ${owner}`;
      socket.end(answer, () => socket.destroy());
    });
    const own = `owner-${process.pid}-${randomBytes(6).toString("hex")}.sock`;
    const path = join(directory, LOCK_NAME);
    try {
      await listen(server, socketPath(directory, handle.fd, own));
      await waitForLink(join(directory, own), path, { directory, handle, clock, timeoutMs });
      await unlink(join(directory, own));
      return new DirectoryLock(path, server, handle);
    } catch (error) {
      await close(server);
      await unlink(join(directory, own)).catch(() => undefined);
      await handle.close();
      throw codeOf(error) === undefined ? error : directoryError(directory, error);
    }
  }

  /** Lets the directory go. */
  async release(): Promise<void> {
    await unlink(this.#path).catch(() => undefined);
    await close(this.#server);
    await this.#directory.close();
  }
}

interface Wait {
  readonly directory: string;
  readonly handle: FileHandle;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/** Gives the own socket the name of the lock, as soon as no living process has it. */
async function waitForLink(own: string, path: string, wait: Wait): Promise<void> {
  const { clock, directory, handle } = wait;
  const deadlineMs = clock.nowMs() + wait.timeoutMs;
  let stale = 0;
  for (;;) {
    try {
      return await link(own, path);
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
    const holder = await askHolder(socketPath(directory, handle.fd, LOCK_NAME));
    if (holder === undefined) {
      if (stale++ === STALE_MAX) throw new Error(`\`directory\` ${directory}: ${path} reappears`);
      await bury(path, own, wait);
    } else if (clock.nowMs() >= deadlineMs) {
      throw new Error(
        `\`directory\` ${directory} is in use by ${holder}: ` +
          "give every replica and every `file_storage` a directory of its own",
      );
    } else {
      await new Promise<void>((resolve) => clock.setTimer(POLL_MS, resolve));
    }
  }
}

/**
 * Takes an abandoned socket away. Between the question and now another process may have put its own
 * in its place: whoever is moved by mistake is put back.
 */
async function bury(path: string, own: string, { directory, handle }: Wait): Promise<void> {
  const grave = `${own}.stale`;
  try {
    await rename(path, grave);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  const moved = await askHolder(socketPath(directory, handle.fd, basename(grave)));
  if (moved !== undefined) await link(grave, path).catch(() => undefined);
  await unlink(grave);
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
    server.unref();
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
