import { type FSWatcher, watch } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { ComponentSettings, Timer } from "@inode-gateway/contract";

/** Events of one change come in a burst; the file is looked at once it is over. */
const BURST_MS = 50;

/** What a {@link FileFollower} calls; both are awaited, never at the same time. */
export interface FileListener {
  /** The file is another one, or has other content. */
  changed(): Promise<void>;
  /** The file cannot be looked at, such as after a removal. */
  lost(error: unknown): Promise<void>;
}

/**
 * Calls a listener whenever a file changes, however it is replaced.
 *
 * The folder is watched, not the file: a file that is replaced by renaming, as editors and
 * Kubernetes do, is another inode. A poll looks again where the file system gives no notice.
 */
export class FileFollower {
  readonly #path: string;
  readonly #pollMs: number;
  readonly #settings: ComponentSettings;
  readonly #listener: FileListener;
  #watcher: FSWatcher | undefined;
  #timer: Timer | undefined;
  #version: string | undefined;
  #looking: Promise<void> | undefined;
  #isStale = false;
  #isStopped = false;

  constructor(path: string, pollMs: number, settings: ComponentSettings, listener: FileListener) {
    this.#path = path;
    this.#pollMs = pollMs;
    this.#settings = settings;
    this.#listener = listener;
  }

  /** Reports the file for the first time, then follows it. Rejects as the listener does. */
  async start(): Promise<void> {
    // The watch comes first, so that a change between the two is not missed.
    this.#watch();
    await this.#look();
    this.#setTimer(this.#pollMs);
  }

  /** Ends it; resolves when the listener is not running any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#timer?.cancel();
    await this.#looking;
  }

  #watch(): void {
    try {
      const watcher = watch(dirname(this.#path), { persistent: false });
      watcher.on("change", () => this.#setTimer(BURST_MS));
      watcher.on("error", (error) => {
        this.#settings.logger.warn("cannot watch the mapping file's folder, polling goes on", {
          file: this.#path,
          error,
        });
        watcher.close();
      });
      this.#watcher = watcher;
    } catch (error) {
      this.#settings.logger.warn("cannot watch the mapping file's folder, polling goes on", {
        file: this.#path,
        error,
      });
    }
  }

  #setTimer(delayMs: number): void {
    if (this.#isStopped) return;
    this.#timer?.cancel();
    this.#timer = this.#settings.clock.setTimer(delayMs, () => {
      this.#settings.runInBackground("mapping file", this.#lookAgain());
    });
  }

  async #lookAgain(): Promise<void> {
    if (this.#looking !== undefined) {
      this.#isStale = true;
      return;
    }
    this.#looking = this.#look();
    try {
      await this.#looking;
    } finally {
      this.#looking = undefined;
      this.#setTimer(this.#isStale ? BURST_MS : this.#pollMs);
      this.#isStale = false;
    }
  }

  async #look(): Promise<void> {
    let version: string;
    try {
      const { ctimeMs, dev, ino, mtimeMs, size } = await stat(this.#path);
      version = `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;
    } catch (error) {
      this.#version = undefined;
      await this.#listener.lost(error);
      return;
    }
    if (version === this.#version || this.#isStopped) return;
    this.#version = version;
    await this.#listener.changed();
  }
}
