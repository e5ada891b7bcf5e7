import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { suite, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { waitUntil } from "@inode-gateway/testkit";
import { writeFile } from "./command-line.rig.js";

const program = fileURLToPath(new URL("../bin/inode-gateway.js", import.meta.url));

/** More than every pipe between two processes holds. */
const lineCount = 20_000;

function start(context: TestContext, command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  context.after(() => child.kill("SIGKILL"));
  return child;
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  let text = "";
  stream?.on("data", (piece: Buffer) => {
    text += piece.toString();
  });
  return () => text;
}

async function codeOf(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, "close")) as [number | null];
  return code;
}

/** Configuration of a registry that holds {@link lineCount} mappings. */
function exportArguments(context: TestContext): string[] {
  const lines = Array.from({ length: lineCount }, (_, index) =>
    JSON.stringify({
      boot_id: "9a2f4c1e-52b7-4a39-8f0d-6d1c83e0b7aa",
      inode: index + 3,
      container_id: index.toString(16).padStart(64, "0"),
    }),
  );
  const file = writeFile(context, "mappings.jsonl", `${lines.join("\n")}\n`);
  const config = `yaml:extensions::memory_registry: { file: "${file}" }`;
  return [program, "registry", "export", "--config", config];
}

suite("the executable", () => {
  // Scenario: `set -o pipefail` makes the gateway's own exit code the pipe's.
  test("ends quietly when the reader of its results leaves", async (t) => {
    const quoted = exportArguments(t)
      .map((argument) => `'${argument}'`)
      .join(" ");
    const script = `set -o pipefail; '${process.execPath}' ${quoted} | head -1`;
    const shell = start(t, "bash", ["-c", script]);
    const stdout = collect(shell.stdout);
    const stderr = collect(shell.stderr);
    assert.equal(await codeOf(shell), 0);
    assert.match(stdout(), /^\{"boot_id":.*\}\n$/);
    assert.equal(stderr(), "");
  });

  // Scenario: nothing is read until the child has filled the pipe and waits; its buffer stays small
  // because a piece is made only when the one before was taken.
  test("waits for a slow reader and loses nothing", async (t) => {
    const child = start(t, process.execPath, exportArguments(t));
    const stderr = collect(child.stderr);
    await waitUntil(() => (child.stdout?.readableLength ?? 0) > 0, { limitMs: 15_000 });
    assert.equal(child.exitCode, null, "it waits for its reader");
    const stdout = collect(child.stdout);
    assert.equal(await codeOf(child), 0);
    assert.equal(stdout().split("\n").length, lineCount + 1);
    assert.equal(stderr(), "");
  });

  test("a gateway works on when nobody reads its log any more", async (t) => {
    const child = start(t, process.execPath, [
      program,
      ...["--config", "yaml:receivers::otlp::protocols::http::endpoint: 127.0.0.1:0"],
      ...["--config", "yaml:exporters::debug::verbosity: detailed"],
      ...["--config", "yaml:service::pipelines::traces: {receivers: [otlp], exporters: [debug]}"],
      ...["--config", "yaml:service::telemetry::metrics::level: none"],
    ]);
    const stderr = collect(child.stderr);
    const receiver = () => /"endpoint":"([^"]+)".*"msg":"Receiving OTLP"/.exec(stderr())?.[1];
    await waitUntil(() => stderr().includes("Everything is ready"), { limitMs: 15_000 });
    child.stderr?.destroy();
    for (let request = 0; request < 3; request++) {
      const answer = await fetch(`http://${receiver()}/v1/traces`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"x","traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"}]}]}]}',
      });
      assert.equal(answer.status, 200);
    }
    child.kill("SIGTERM");
    assert.equal(await codeOf(child), 0);
  });
});
