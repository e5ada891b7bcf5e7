// `npm start`: installs, builds, and runs the gateway on embedded defaults: registry and reporter in
// the same process. Arguments after `--` go to the gateway.
import { spawn } from "node:child_process";
import { build, installPackages, requireSupportedNode, rootFolder } from "./install.mjs";

requireSupportedNode();
installPackages();
build();

const given = process.argv.slice(2);
const args = given.length > 0 ? given : ["--config", "configs/standalone.yaml"];
const gateway = spawn(process.execPath, ["packages/gateway/bin/inode-gateway.js", ...args], {
  cwd: rootFolder,
  stdio: "inherit",
});
// A terminal's Ctrl-C reaches the gateway by itself; a signal to this process alone is handed on.
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => gateway.kill(signal));
process.on("SIGINT", () => undefined);
gateway.on("exit", (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1;
});
