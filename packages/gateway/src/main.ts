import { letHeapGrow } from "./heap-growth.js";
import { runCommandLine } from "./run-command-line.js";
import { messageOutput, resultOutput } from "./stream-output.js";

letHeapGrow();
process.exitCode = await runCommandLine({
  args: process.argv.slice(2),
  environment: process.env,
  stdout: resultOutput(process.stdout),
  stderr: messageOutput(process.stderr, process.stderr.isTTY === true),
  stdin: process.stdin,
  onStopSignal: (listener) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => listener(signal));
  },
  onReloadSignal: (listener) => void process.on("SIGHUP", listener),
  exitNow: (code) => process.exit(code),
});
