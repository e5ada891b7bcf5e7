import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Batch } from "@inode-gateway/contract";
import {
  CapturingConsumer,
  createTestOrigin,
  createTestSettings,
  decodeRequest,
} from "@inode-gateway/testkit";
import { routingConnector } from "./factory.js";

/**
 * What the Collector's `routing` of v0.149.0 did with one request of 16 items for each signal, as base64.
 * The tables were drawn by a generator with seed 11: one to four routes of all contexts, moving and
 * copying, with and without default pipelines, in all error modes, for senders with various metadata.
 *
 * `result` has the names of the items that came to the pipelines a, b, c and d, sorted, with `|`
 * between the pipelines; or `refused` (the configuration) or `failed` (the request).
 */
interface CollectorRoutes {
  readonly requests: Readonly<Record<Signal, string>>;
  readonly cases: readonly {
    readonly signal: Signal;
    readonly config: string;
    readonly metadata: string;
    readonly result: string;
  }[];
}

type Signal = "traces" | "metrics" | "logs";

const path = new URL("../../../src/connectors/routing/collector-routes.json", import.meta.url);
const collector = JSON.parse(readFileSync(path, "utf8")) as CollectorRoutes;

for (const signal of ["traces", "metrics", "logs"] as const) {
  test(`tables of ${signal} route as the Collector's do`, async () => {
    const cases = collector.cases.filter((each) => each.signal === signal);
    assert.ok(cases.length >= 50);
    for (const { config, metadata, result } of cases) {
      const actual = await routed(signal, config, metadata);
      // A call of literals that can never work is told with the configuration or with the request.
      const bothFail = [actual, result].every((each) => each === "refused" || each === "failed");
      if (!bothFail) assert.equal(actual, result, `${config} for ${metadata}`);
    }
  });
}

async function routed(signal: Signal, written: string, metadata: string): Promise<string> {
  const config = routingConnector.config.safeParse(JSON.parse(written));
  if (!config.success) return "refused";
  const pipelines = ["a", "b", "c", "d"].map((name) => `${signal}/${name}`);
  const outputs = new Map(pipelines.map((name) => [name, new CapturingConsumer()]));
  const settings = createTestSettings({ kind: "connector", id: "routing", signal });
  let connector: ReturnType<typeof routingConnector.create>;
  try {
    connector = routingConnector.create(settings, config.data, outputs);
  } catch {
    return "refused";
  }
  const entries = Object.entries(JSON.parse(metadata) as Record<string, string[]>);
  const origin = createTestOrigin({ metadata: new Map(entries) });
  const chunks = [Buffer.from(collector.requests[signal], "base64")];
  try {
    await connector.consume(new Batch({ signal, chunks, origin }));
  } catch {
    return "failed";
  }
  return [...outputs.values()].map((output) => namesIn(signal, output)).join("|");
}

function namesIn(signal: Signal, { batches }: CapturingConsumer): string {
  assert.ok(batches.length <= 1, "a pipeline gets one batch of a request");
  const text = batches.map(({ bytes }) => JSON.stringify(decodeRequest(signal, bytes))).join("");
  if (signal === "logs") return sortedMatches(text, /"string_value":"(l\d+)"/g);
  if (signal === "traces") return sortedMatches(text, /"name":"(t\d+)"/g);
  // The points of a metric are told from others by their values, ten times its number and up.
  const points = [...text.matchAll(/"as_int":"?(\d+)/g)].map(([, value]) => Number(value));
  return points
    .map((value) => `m${Math.floor(value / 10)}.${value}`)
    .sort()
    .join(" ");
}

function sortedMatches(text: string, pattern: RegExp): string {
  return [...text.matchAll(pattern)]
    .map(([, name]) => name)
    .sort()
    .join(" ");
}
