import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fail, run } from "./install.mjs";

/** What the tests run beside Node: a command, the Debian package that brings it, and what it is for. */
const tools = [
  { command: "redis-server", aptPackage: "redis-server", purpose: "the registry's store" },
  { command: "openssl", aptPackage: "openssl", purpose: "certificates for TLS tests" },
  { command: "runc", aptPackage: "runc", purpose: "real containers" },
  { command: "podman", aptPackage: "podman", purpose: "real containers" },
  { command: "conmon", aptPackage: "conmon", purpose: "podman's monitor" },
  { command: "crun", aptPackage: "crun", purpose: "real containers with nested cgroups" },
  { command: "busybox", aptPackage: "busybox-static", purpose: "a second shell for otel-inode.sh" },
  { command: "setpriv", aptPackage: "util-linux", purpose: "the reporter without privileges" },
  { command: "ip", aptPackage: "iproute2", purpose: "network namespaces of the containers" },
  { command: "python3", aptPackage: "python3", purpose: "the OpenTelemetry SDK for Python" },
];

/**
 * Makes sure that every tool is there: installs missing ones with apt where this is root on Debian,
 * and otherwise ends with a message that names exactly what to install. Nothing is ever skipped.
 */
export function requireTestTools() {
  const missing = tools.filter(({ command }) => !isOnPath(command));
  const hasVenv = isOnPath("python3") && canMakeVenv();
  const packages = missing.map(({ aptPackage }) => aptPackage);
  if (!hasVenv) packages.push("python3-venv");
  if (packages.length === 0) return;
  const names = [...new Set(packages)];
  if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version") || !isOnPath("apt-get")) {
    for (const { command, purpose } of missing) console.error(`missing: ${command} (${purpose})`);
    fail(`install these Debian packages, or what brings the same commands: ${names.join(" ")}`);
  }
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  run("apt-get", ["update", "-qq"], { env });
  run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...names], { env });
  const still = tools.filter(({ command }) => !isOnPath(command));
  if (still.length > 0) fail(`still missing: ${still.map(({ command }) => command).join(", ")}`);
}

function isOnPath(command) {
  return (process.env.PATH ?? "").split(":").some((folder) => existsSync(`${folder}/${command}`));
}

function canMakeVenv() {
  return spawnSync("python3", ["-c", "import ensurepip, venv"]).status === 0;
}
