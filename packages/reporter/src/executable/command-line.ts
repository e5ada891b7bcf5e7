import { parseArgs } from "node:util";
import { nearest } from "@inode-gateway/config";

/** What the user asked for. */
export type Command =
  | { readonly name: "help" }
  | { readonly name: "version" }
  | {
      readonly name: "run" | "validate";
      /** Values of `--config`, in order. */
      readonly configs: readonly string[];
      /** Values of `--set`, in order. */
      readonly sets: readonly string[];
    };

/** The command line cannot be understood; the message is for the user. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What `inode-reporter --help` prints. */
export const helpText = `Inode Reporter finds the containers of a node in its cgroup file system and publishes them to Redis.

Usage
  inode-reporter [--config FILE]... [--set KEY=VALUE]...    run until SIGTERM or Ctrl-C
  inode-reporter validate [--config FILE]...                check the configuration, start nothing
  inode-reporter --version | --help

Configuration
  --config may be a path, file:PATH, env:NAME or yaml:a::b: VALUE, and may be given several times;
  later ones win. --set a.b.c=VALUE comes last. Without any, the defaults hold: the node's cgroups
  at /sys/fs/cgroup, Redis at redis://localhost:6379.

Exit codes
  0  done, or stopped by a signal after publishing what was pending
  1  failed while starting or running
  2  wrong command line or configuration; nothing was started
`;

const options = {
  config: { type: "string", multiple: true },
  set: { type: "string", multiple: true },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const;

/**
 * Reads the command line.
 *
 * @throws UsageError that names what was written and what is possible
 */
export function parseCommandLine(args: readonly string[]): Command {
  const { values, positionals } = readArguments(args);
  if (values.help) return { name: "help" };
  if (values.version) return { name: "version" };
  const [name, unexpected] = positionals;
  if (name !== undefined && name !== "validate") {
    throw new UsageError(`unknown command "${name}", the only one is "validate"`);
  }
  if (unexpected !== undefined) throw new UsageError(`unexpected argument "${unexpected}"`);
  return { name: name ?? "run", configs: values.config ?? [], sets: values.set ?? [] };
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    const { message } = error as Error;
    const unknown = /Unknown option '(--?[^']+)'/.exec(message)?.[1];
    if (unknown === undefined) throw new UsageError(message);
    const names = Object.keys(options).map((option) => `--${option}`);
    const near = nearest(unknown, names);
    const hint = near === undefined ? ` (one of: ${names.join(", ")})` : `, did you mean ${near}?`;
    throw new UsageError(`unknown option ${unknown}${hint}`);
  }
}
