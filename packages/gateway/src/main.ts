import { runCommandLine } from "./run-command-line.js";

process.exitCode = await runCommandLine({
  args: process.argv.slice(2),
  environment: process.env,
  stdout: {
    write: (text) => {
      process.stdout.write(text);
    },
    isTerminal: process.stdout.isTTY === true,
  },
  stderr: {
    write: (text) => {
      process.stderr.write(text);
    },
    isTerminal: process.stderr.isTTY === true,
  },
  stdin: process.stdin,
  onStopSignal: (listener) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => listener(signal));
  },
  exitNow: (code) => process.exit(code),
});
