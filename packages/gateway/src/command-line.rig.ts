import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { waitUntil } from "@inode-gateway/testkit";
import type { ExitCode } from "./exit-code.js";
import { runCommandLine } from "./run-command-line.js";

/** How a run ended, and what it wrote. */
export interface EndedRun {
  readonly code: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a run in this process gets besides its arguments. */
export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Pieces of standard input. */
  readonly stdin?: readonly Uint8Array[];
  /** A signal that comes as soon as it is listened for. */
  readonly earlySignal?: string;
}

/** One run of the command line inside this process. */
export class CommandRun {
  readonly ended: Promise<EndedRun>;
  readonly exits: number[] = [];
  #stdout = "";
  #stderr = "";
  #listener: ((signal: string) => void) | undefined;
  #reload: (() => void) | undefined;

  constructor(args: readonly string[], options: RunOptions = {}) {
    const { environment = {}, stdin = [], earlySignal } = options;
    const run = runCommandLine({
      args,
      environment,
      stdout: {
        write: async (text) => {
          this.#stdout += text;
        },
      },
      stderr: {
        isTerminal: false,
        write: (text) => {
          this.#stderr += text;
        },
      },
      stdin: piecesOf(stdin),
      onStopSignal: (listener) => {
        this.#listener = listener;
        if (earlySignal !== undefined) listener(earlySignal);
      },
      onReloadSignal: (listener) => {
        this.#reload = listener;
      },
      exitNow: (code) => {
        this.exits.push(code);
      },
    });
    this.ended = run.then((code) => ({ code, stdout: this.#stdout, stderr: this.#stderr }));
  }

  /** Every line of JSON it has logged. */
  get log(): Record<string, unknown>[] {
    return this.#stderr
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** The first log line with this message, once it is there. */
  async logged(message: string): Promise<Record<string, unknown>> {
    const find = () => this.log.find(({ msg }) => msg === message);
    await waitUntil(() => find() !== undefined, { limitMs: 15_000, description: message });
    return find() ?? {};
  }

  signal(name: string): void {
    if (name === "SIGHUP") this.#reload?.();
    else this.#listener?.(name);
  }
}

/** Runs the command line to its end. */
export function run(args: readonly string[], options: RunOptions = {}): Promise<EndedRun> {
  return new CommandRun(args, options).ended;
}

/** Writes a file into a folder of the test's own; returns its path. */
export function writeFile(context: TestContext, name: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "inode-gateway-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function* piecesOf(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}
