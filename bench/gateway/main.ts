// CPU seconds of the gateway process alone for a million spans, counted at a sink; beside other
// programs with `--peer 'name=command --config {config}'`, beside another build of this one with
// `--build 'name=command --config {config}'`. Method: bench/README.md.
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type BenchCase, benchCases, mappingLines } from "./bench-cases.js";
import { AnsweringProcess } from "./child-process.js";
import { Contender, type Enrichment } from "./contender.js";
import type { LoadReply, LoadRequest } from "./load-process.js";
import { measureCase, type Surroundings } from "./measure.js";
import { pinToProcessor } from "./process-usage.js";
import { printCase, printHead } from "./result-table.js";
import type { SinkReport } from "./sink-process.js";

const { values } = parseArgs({
  options: {
    case: { type: "string", multiple: true },
    peer: { type: "string", multiple: true },
    build: { type: "string", multiple: true },
    seconds: { type: "string", default: "5" },
    rounds: { type: "string", default: "5" },
    connections: { type: "string", default: "4" },
    concurrency: { type: "string", default: "8" },
  },
});

const gateway = fileURLToPath(
  new URL("../../../packages/gateway/bin/inode-gateway.js", import.meta.url),
);
const folder = mkdtempSync(`${tmpdir()}/inode-gateway-bench-`);
const mappingsPath = `${folder}/mappings.jsonl`;
writeFileSync(mappingsPath, mappingLines());

const resolving: Enrichment = {
  extensions: `\n  memory_registry: { file: "${mappingsPath}" }`,
  extensionNames: "[memory_registry]",
  processors: "  inode_resolver: { registry: memory_registry }",
  processorName: "inode_resolver",
};
/** A peer cannot resolve: it sets one constant attribute of the same length instead. */
const constant: Enrichment = {
  extensions: " {}",
  extensionNames: "[]",
  processors: `  resource: { attributes: [{ key: container.id, action: insert, value: "${"c0".repeat(32)}" }] }`,
  processorName: "resource",
};

async function run(): Promise<void> {
  const load = new AnsweringProcess<LoadRequest, LoadReply>("load-process.js");
  const sink = new AnsweringProcess<{ readonly action: "count" }, SinkReport>("sink-process.js");
  const { port: sinkPort } = await sink.nextMessage();
  for (const { pid } of [load, sink]) pinToProcessor(pid, 0);
  try {
    printHead();
    for (const benchCase of benchCases) {
      if (values.case !== undefined && !values.case.includes(benchCase.name)) continue;
      await runCase(benchCase, { load, sink }, sinkPort);
    }
  } finally {
    load.stop();
    sink.stop();
    rmSync(folder, { recursive: true });
  }
}

async function runCase(
  benchCase: BenchCase,
  surroundings: Surroundings,
  sinkPort: number,
): Promise<void> {
  const ours = `inode-gateway=${process.execPath} ${gateway} --config {config}`;
  const named = [
    ...[ours, ...(values.build ?? [])].map((text) => readContender(text, resolving)),
    ...(values.peer ?? []).map((text) => readContender(text, constant)),
  ];
  const contenders: Contender[] = [];
  try {
    for (const [index, contender] of named.entries()) {
      contenders.push(
        new Contender({
          ...contender,
          grpcPort: await freePort(),
          httpPort: await freePort(),
          sinkPort,
          configPath: `${folder}/${index}.yaml`,
          processor: 1,
        }),
      );
    }
    for (const contender of contenders) await contender.waitUntilListening();
    const results = await measureCase(benchCase, contenders, surroundings, {
      warmUpMs: 3_000,
      windowMs: Number(values.seconds) * 1_000,
      rounds: Number(values.rounds),
      connections: Number(values.connections),
      concurrency: Number(values.concurrency),
    });
    printCase(benchCase, results);
  } finally {
    for (const contender of contenders) await contender.stop();
  }
}

/** A port that nobody listens on at this moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function readContender(text: string, enrichment: Enrichment) {
  const equals = text.indexOf("=");
  if (equals < 1) throw new Error(`"${text}" is not 'name=command --config {config}'`);
  return { name: text.slice(0, equals), command: text.slice(equals + 1), enrichment };
}

await run();
