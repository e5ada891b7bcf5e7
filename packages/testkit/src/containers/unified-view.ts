import { type ChildProcess, execFile, type SpawnOptions, spawn } from "node:child_process";

const enterScript =
  "umount -R /sys/fs/cgroup 2>/dev/null; " + 'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"';

const commandTimeoutMs = 60_000;

/**
 * The arguments that run a command where /sys/fs/cgroup is a cgroup2 mount, as on a unified host.
 *
 * A hybrid host sees the cgroups that a runtime makes there below its own v2 mount, with the same
 * inode and device. The mount namespace ends with the command. Needs root.
 */
export function unifiedView(command: readonly string[]): [string, string[]] {
  const args = ["--mount", "--propagation", "private", "sh", "-c", enterScript, "_", ...command];
  return ["unshare", args];
}

/** Starts a command in the unified view. */
export function spawnInUnifiedView(
  command: readonly string[],
  options: SpawnOptions = {},
): ChildProcess {
  const [program, args] = unifiedView(command);
  return spawn(program, args, options);
}

/**
 * Runs a command in the unified view to its end.
 *
 * @returns its standard output
 * @throws Error with its standard error when it fails or takes longer than a minute
 */
export function runInUnifiedView(command: readonly string[]): Promise<string> {
  const [program, args] = unifiedView(command);
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: commandTimeoutMs }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${command.join(" ")}: ${stderr.trim() || error.message}`));
    });
  });
}
