import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The repository's root folder, with a slash at its end. */
export const rootFolder = fileURLToPath(new URL("..", import.meta.url));

/** Ends with a message when the running Node is older than `engines.node` of package.json. */
export function requireSupportedNode() {
  const { engines } = JSON.parse(readFileSync(`${rootFolder}package.json`, "utf8"));
  const [, major, minor] = /(\d+)\.(\d+)/.exec(engines.node).map(Number);
  const [runningMajor, runningMinor] = process.versions.node.split(".").map(Number);
  if (runningMajor > major || (runningMajor === major && runningMinor >= minor)) return;
  fail(`this is Node ${process.versions.node}; Inode Gateway needs ${engines.node}`);
}

/** Installs the locked packages, unless the installed ones are those of the lock file already. */
export function installPackages() {
  const marker = `${rootFolder}node_modules/.package-lock.json`;
  const isCurrent =
    existsSync(marker) &&
    statSync(marker).mtimeMs >= statSync(`${rootFolder}package-lock.json`).mtimeMs;
  if (!isCurrent) run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
}

/** Compiles everything that changed. */
export function build() {
  run(process.execPath, [`${rootFolder}node_modules/typescript/bin/tsc`, "-b"]);
}

/** Runs a command in the root folder with this process's output; ends with its exit code when it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: rootFolder, stdio: "inherit", ...options });
  if (result.error) fail(`cannot run ${command}: ${result.error.message}`);
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Prints why and ends with exit code 1. */
export function fail(message) {
  console.error(message);
  process.exit(1);
}
