import { setFlagsFromString } from "node:v8";

// One runs on every node and idles nearly always, so memory counts and peak speed does not: these save
// 22 of 85 MB, and the cold walk is faster without a compiler beside it. They must come before any
// other module is loaded, hence the late import.
for (const flag of ["--optimize-for-size", "--semi-space-growth-factor=1", "--no-opt"]) {
  setFlagsFromString(flag);
}
const { runReporter } = await import("./executable/run-reporter.js");

const stopSignal = new Promise<string>((resolve) => {
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    signals++;
    resolve(signal);
    // Whoever asks twice does not want to wait for the registry.
    if (signals > 1) process.exit(1);
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
});

process.exit(
  await runReporter({
    args: process.argv.slice(2),
    environment: process.env,
    writeOut: (text) => process.stdout.write(text),
    writeError: (text) => process.stderr.write(text),
    isTerminal: process.stderr.isTTY === true,
    stopSignal,
  }),
);
