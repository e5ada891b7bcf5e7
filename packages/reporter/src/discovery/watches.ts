import { type FSWatcher, watch } from "node:fs";
import type { BytePath } from "./file-system.js";

/** Why no more directories can be watched. */
export interface WatchLimit {
  readonly code: string;
  /** The setting of the kernel that is too low. */
  readonly sysctl: string;
}

/** What the watches tell of themselves. */
export interface WatchesObserver {
  /** The first refusal since watches could last be added. */
  limitReached(limit: WatchLimit): void;
}

/** A directory's entry was made or removed; undefined when the kernel did not say which. */
export type EntryListener = (name: string | undefined) => void;

const sysctlByCode: Readonly<Record<string, string>> = {
  ENOSPC: "fs.inotify.max_user_watches",
  EMFILE: "fs.inotify.max_user_instances",
  ENFILE: "fs.file-max",
  ENOMEM: "fs.inotify.max_user_watches",
};

/**
 * inotify watches, one for each directory and never a recursive one.
 *
 * Node keeps one inotify instance for the process, so the limit met first is that of watches.
 */
export class Watches {
  readonly #observer: WatchesObserver;
  #count = 0;
  #limit: WatchLimit | undefined;
  #isExhausted = false;

  constructor(observer: WatchesObserver) {
    this.#observer = observer;
  }

  get count(): number {
    return this.#count;
  }

  /** The limit that keeps directories from being watched; undefined while none does. */
  get limit(): WatchLimit | undefined {
    return this.#limit;
  }

  /** Lets the next `add` ask the kernel again after it had refused; an ended watch does the same. */
  retry(): void {
    this.#isExhausted = false;
  }

  /** Forgets the limit: every directory has its watch. */
  recovered(): void {
    this.#limit = undefined;
  }

  /**
   * Watches a directory; returns what ends that, or undefined when it is gone or cannot be watched.
   *
   * `lost` is called when the watch ended by itself.
   */
  add(path: BytePath, listener: EntryListener, lost: () => void): (() => void) | undefined {
    if (this.#isExhausted) return undefined;
    let watcher: FSWatcher;
    try {
      watcher = watch(path, { persistent: false, encoding: "latin1" }, (kind, name) => {
        // Every write to a control file is a `change`, a directory made or removed a `rename`.
        if (kind === "rename") listener(name ?? undefined);
      });
    } catch (error) {
      this.#refused(error);
      return undefined;
    }
    this.#count++;
    let isOpen = true;
    const close = () => {
      if (!isOpen) return;
      isOpen = false;
      this.#count--;
      this.#isExhausted = false;
      watcher.close();
    };
    watcher.on("error", () => {
      close();
      lost();
    });
    return close;
  }

  #refused(error: unknown): void {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    const sysctl = Object.hasOwn(sysctlByCode, code) ? sysctlByCode[code] : undefined;
    if (sysctl === undefined) return;
    this.#isExhausted = true;
    if (this.#limit !== undefined) return;
    this.#limit = { code, sysctl };
    this.#observer.limitReached(this.#limit);
  }
}
