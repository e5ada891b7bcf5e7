import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runLifecycleSuite } from "./lifecycle-suite.js";
import { capturingExporterFactory, manualReceiverFactory } from "./test-factories.js";

runLifecycleSuite(capturingExporterFactory().factory);
runLifecycleSuite(manualReceiverFactory().factory, { config: () => ({}) });

// Scenario: a process of its own runs the suite over a processor that breaks one promise.
const BROKEN_PROCESSORS: readonly [string, string, RegExp][] = [
  ["acquires in create", "setTimeout(() => {}, 0); return honest;", /touches something outside/],
  [
    "never ends its shutdown",
    "return { ...honest, shutdown: () => new Promise(() => {}) };",
    /by its deadline/,
  ],
  [
    "keeps a timer",
    "return { ...honest, start: async () => void setTimeout(() => {}, 8_000) };",
    /left by/,
  ],
  [
    "loses a batch",
    "return { ...honest, consume: async () => {} };",
    /not ok .* counted as dropped/,
  ],
  [
    "counts what it does not keep",
    "settings.ledger.held(1); return honest;",
    /not ok .* released by/,
  ],
  [
    "lets a promise fail",
    "return { ...honest, start: async () => settings.runInBackground('x', Promise.reject(new Error())) };",
    /not ok .* released by/,
  ],
];

suite("the suite fails for a component that", { concurrency: true }, () => {
  for (const [title, create, expected] of BROKEN_PROCESSORS) {
    test(title, { timeout: 60_000 }, async () => {
      const output = await run(`
      import { runLifecycleSuite } from ${JSON.stringify(new URL("lifecycle-suite.js", import.meta.url).href)};
      runLifecycleSuite({
        kind: "processor", type: "broken", signals: ["traces"], config: { parse: (value) => value },
        create: (settings, config, next) => {
          const honest = {
            start: async () => {}, shutdown: async () => {}, consume: (batch) => next.consume(batch),
          };
          ${create}
        },
      }, { shutdownMs: 50 });`);
      assert.match(output, expected);
      assert.match(output, /\n# fail [1-9]/, "the process ends as failed tests do");
    });
  }
});

function run(source: string): Promise<string> {
  const options = ["--test-reporter=tap", "--input-type=module", "-e", source];
  // Without this variable of its parent, the child takes its own tests for its parent's.
  const { NODE_TEST_CONTEXT: _parent, ...env } = process.env;
  const child = spawn(process.execPath, options, {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    env,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve) => child.on("close", () => resolve(output)));
}
