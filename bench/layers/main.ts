// What each layer costs for one request, without sockets. With `--assert` the exit code is 1 when the
// sum is over the aim. Method: bench/README.md.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checkRequest, countItems, jsonToProtobuf, protobufToJson } from "@inode-gateway/otlp";
import { type BenchCase, benchCases, buildBodies, mappingLines } from "../gateway/bench-cases.js";
import { type Chain, received, startChain } from "./chain.js";
import { conditionLayers } from "./conditions.js";
import { startDeliveryLayers } from "./delivery.js";
import { type Layer, measureLayer } from "./layer.js";
import { processorLayers } from "./processors.js";

/** Most CPU microseconds for one request, JSON aside, by its spans. */
const aims: ReadonlyMap<number, number> = new Map([
  [512, 300],
  [10, 12],
]);

const { values } = parseArgs({ options: { assert: { type: "boolean", default: false } } });
const folder = mkdtempSync(join(tmpdir(), "inode-gateway-bench-"));
const mappingsPath = join(folder, "mappings.jsonl");
writeFileSync(mappingsPath, mappingLines());
let isOver = false;
try {
  for (const [spans, aim] of aims) {
    const chain = await startChain(mappingsPath);
    isOver = (await measureCorpus(spans, aim, chain)) || isOver;
    await chain.stop();
  }
} finally {
  rmSync(folder, { recursive: true });
}
if (values.assert && isOver) process.exitCode = 1;

async function measureCorpus(spans: number, aim: number, chain: Chain): Promise<boolean> {
  const benchCase = benchCases.find(
    ({ name, spansPerRequest }) => name.startsWith("grpc-") && spansPerRequest === spans,
  );
  const bodies = buildBodies(benchCase as BenchCase);
  const json = bodies.map((body) => protobufToJson("traces", body));
  const at = <Value>(list: readonly Value[], request: number) =>
    list[request % list.length] as Value;
  const delivery = await startDeliveryLayers(folder, (request) =>
    received(at(bodies, request), spans),
  );
  const layers: Layer[] = [
    {
      name: "framing check",
      run: (request) => checkRequest("traces", at(bodies, request)),
    },
    {
      name: "count",
      run: (request) => void countItems("traces", at(bodies, request)),
    },
    {
      name: "resolver, cache hit",
      run: (request) => chain.resolver.consume(received(at(bodies, request))),
    },
    {
      name: "batch and merge",
      run: (request) => chain.batcher.consume(received(at(bodies, request), spans)),
    },
    ...processorLayers(bodies, spans),
    ...conditionLayers((request) => received(at(bodies, request), spans)),
    ...delivery.layers,
    {
      name: "all of it in a row",
      run: (request) => {
        const body = at(bodies, request);
        checkRequest("traces", body);
        return chain.both.consume(received(body));
      },
    },
    {
      name: "JSON in",
      run: (request) => void jsonToProtobuf("traces", at(json, request)),
    },
  ];
  console.log(`\n${spans} spans a request, ${bodies[0]?.byteLength} bytes (CPU us a request)`);
  let inARow = 0;
  for (const layer of layers) {
    const cost = await measureLayer(layer);
    if (layer.name.startsWith("all")) inARow = cost;
    const limit = layer.name.startsWith("all") ? `   aim: at most ${aim}` : "";
    console.log(`  ${layer.name.padEnd(20)} ${cost.toFixed(2).padStart(9)}${limit}`);
  }
  await delivery.stop();
  return inARow > aim;
}
