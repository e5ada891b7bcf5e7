import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { waitUntil } from "@inode-gateway/testkit";

/** One line of an executable's log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

const binaries = {
  "inode-gateway": "packages/gateway/bin/inode-gateway.js",
  "inode-reporter": "packages/reporter/bin/inode-reporter.js",
} as const;

/** The repository's root folder, with a slash at its end. */
export const rootFolder = fileURLToPath(new URL("../../../", import.meta.url));

const startTimeoutMs = 30_000;
const stopTimeoutMs = 30_000;

/** One of our executables, running as a user would run it; its log is JSON lines. */
export class Executable {
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | null>;
  #text = "";
  #stdout = "";

  constructor(
    name: keyof typeof binaries,
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ) {
    this.#child = spawn(process.execPath, [rootFolder + binaries[name], ...args], {
      cwd: rootFolder,
      env: { ...process.env, ...environment },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child.stderr?.on("data", (text: Buffer) => {
      this.#text += text.toString();
    });
    this.#child.stdout?.on("data", (text: Buffer) => {
      this.#stdout += text.toString();
    });
    this.#exit = new Promise((resolve) => this.#child.once("close", resolve));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#text;
  }

  /** Gives it its whole standard input. */
  writeInput(text: string): void {
    this.#child.stdin?.end(text);
  }

  /** Every complete line of JSON it logged so far. */
  log(): LogLine[] {
    return this.#text
      .split("\n")
      .slice(0, -1)
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** The first log line that fits, once it is there. */
  async logged(fits: (line: LogLine) => boolean, what: string): Promise<LogLine> {
    await waitUntil(() => this.log().some(fits) || this.#child.exitCode !== null, {
      limitMs: startTimeoutMs,
      description: `${what} in the log`,
    });
    const line = this.log().find(fits);
    if (line === undefined) throw new Error(`it ended before ${what}:\n${this.#text}`);
    return line;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  exited(): Promise<number | null> {
    return this.#exit;
  }

  /** Stops it with SIGTERM and gives its exit code; kills it when it does not stop in time. */
  async stop(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), stopTimeoutMs);
    const code = await this.#exit;
    clearTimeout(timer);
    return code;
  }

  /** Ends it at once, as `kill -9` does. Safe twice. */
  async end(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exit;
  }
}
