import { createHash } from "node:crypto";
import { fileProblem, readSmallFile } from "@inode-gateway/config";
import type { ComponentSettings, Timer } from "@inode-gateway/contract";
import { credentialReloads } from "./metrics.js";

/** Larger files of credentials are a mistake. */
export const CREDENTIAL_FILE_BYTES_MAX = 1_048_576;

/**
 * How often a file is read again: a withdrawn secret should not be good for long, and reading a small
 * file takes 0.1 ms. Its content is compared, so that a swapped symbolic link, as Kubernetes makes
 * them, is seen as a file written in place is.
 */
export const CREDENTIAL_POLL_MS = 1_000;

/** One file and what is made of it. */
export interface CredentialFileOptions {
  /** The user's key, such as `filename`; for messages and metrics. */
  readonly key: string;
  readonly path: string;
  /** Uses the content. @throws Error that says what is wrong with it and repeats nothing of it */
  readonly apply: (text: string) => void;
}

/**
 * Follows a file of credentials. The first state must be good; later the last good one goes on, and
 * each bad one is logged and counted once.
 */
export class CredentialFile {
  readonly #settings: ComponentSettings;
  readonly #options: CredentialFileOptions;
  #version = "";
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(settings: ComponentSettings, options: CredentialFileOptions) {
    this.#settings = settings;
    this.#options = options;
  }

  /**
   * Uses the file for the first time and follows it from then on.
   *
   * @throws Error naming the key and the file when it cannot be read or used
   */
  async start(): Promise<void> {
    const { apply, key, path } = this.#options;
    try {
      const text = await readCredentials(path);
      apply(text);
      this.#version = versionOf(text);
    } catch (error) {
      throw new Error(`\`${key}\` ${path}: ${fileProblem(error)}`);
    }
    this.#wait();
  }

  /** Nothing is applied after this. Safe twice. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #wait(): void {
    if (this.#isStopped) return;
    this.#timer = this.#settings.clock.setTimer(CREDENTIAL_POLL_MS, () => {
      this.#settings.runInBackground("file of credentials", this.#look());
    });
  }

  async #look(): Promise<void> {
    try {
      const text = await readCredentials(this.#options.path);
      this.#use(versionOf(text), () => this.#options.apply(text));
    } catch (error) {
      this.#use(`unreadable: ${fileProblem(error)}`, () => {
        throw error;
      });
    }
    this.#wait();
  }

  #use(version: string, apply: () => void): void {
    if (version === this.#version || this.#isStopped) return;
    this.#version = version;
    const { id: extension, logger, meter, reportState } = this.#settings;
    const { key, path } = this.#options;
    const count = (outcome: string) =>
      meter.counter(credentialReloads, { extension, key, outcome }).add(1);
    try {
      apply();
      count("success");
      logger.info("A changed file of credentials is in use", { key, file: path });
      reportState("ok");
    } catch (error) {
      count("failure");
      const reason = fileProblem(error);
      logger.error(
        "A changed file of credentials cannot be used, the credentials before it go on",
        {
          key,
          file: path,
          reason,
        },
      );
      reportState("recoverable_error", `\`${key}\` ${path}: ${reason}`);
    }
  }
}

async function readCredentials(path: string): Promise<string> {
  return (await readSmallFile(path, CREDENTIAL_FILE_BYTES_MAX)).toString("utf8");
}

// Secrets are not kept twice only to compare them.
function versionOf(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}
