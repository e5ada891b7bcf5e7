import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Batch } from "@inode-gateway/contract";
import { checkRequest } from "@inode-gateway/otlp";
import {
  CapturingConsumer,
  createTestOrigin,
  createTestSettings,
  decodeRequest,
} from "@inode-gateway/testkit";
import { probabilisticSampler } from "./factory.js";

/**
 * What the Collector's own sampler (contrib v0.155.0) decided over one request of spans and one of log
 * records, both in base64. The items are numbered in the last four bytes of their span ID; they have
 * trace IDs of all sorts, tracestates or sampling attributes right and wrong, and priorities of every
 * type. `kept` lists number and tracestate of a span, number, threshold and randomness of a record.
 */
interface CollectorDecisions {
  readonly traces: string;
  readonly logs: string;
  readonly cases: readonly {
    readonly signal: "traces" | "logs";
    readonly config: unknown;
    readonly error?: string;
    readonly kept?: readonly string[];
  }[];
}

interface DecodedItem {
  readonly span_id: Uint8Array;
  readonly trace_state?: string;
  readonly attributes?: readonly { readonly key: string; readonly value: unknown }[];
}

const path = "../../../src/processors/probabilistic-sampler/collector-decisions.json";
const text = readFileSync(new URL(path, import.meta.url), "utf8");
const collector = JSON.parse(text) as CollectorDecisions;

for (const { config, error, kept = [], signal } of collector.cases) {
  test(`decides over ${signal} as the Collector: ${JSON.stringify(config)}`, async () => {
    if (error !== undefined) {
      assert.throws(() => probabilisticSampler.config.parse(config), error);
      return;
    }
    const output = new CapturingConsumer();
    const settings = createTestSettings({ kind: "processor", signal });
    const parsed = probabilisticSampler.config.parse(config);
    const sampler = probabilisticSampler.create(settings, parsed, output);
    const request = Buffer.from(collector[signal], "base64");
    const batch = new Batch({ signal, chunks: [request], origin: createTestOrigin() });
    await sampler.consume(batch);
    for (const { bytes } of output.batches) checkRequest(signal, bytes);
    const ours = output.batches.flatMap(({ bytes }) => keptItems(signal, bytes));
    assert.deepEqual(ours, kept);
    assert.equal(output.itemCount, kept.length);
    assert.equal(settings.ledger.droppedItems("sampled_out"), batch.itemCount - kept.length);
  });
}

function keptItems(signal: "traces" | "logs", bytes: Uint8Array): string[] {
  const names =
    signal === "traces"
      ? ["resource_spans", "scope_spans", "spans"]
      : ["resource_logs", "scope_logs", "log_records"];
  let messages: unknown[] = [decodeRequest(signal, bytes)];
  for (const name of names) {
    messages = messages.flatMap((message) => {
      const children = (message as Record<string, unknown[] | undefined>)[name] ?? [];
      assert.ok(children.length > 0, "no empty Resource or scope is left");
      return children;
    });
  }
  return messages.map((message) => {
    const item = message as DecodedItem;
    const number = Buffer.from(item.span_id).readUInt32BE(4);
    if (signal === "traces") return `${number} ${item.trace_state ?? ""}`;
    const written = (key: string) => {
      const attribute = item.attributes?.find((each) => each.key === key);
      return attribute === undefined ? "-" : JSON.stringify(attribute.value);
    };
    return `${number} ${written("sampling.threshold")} ${written("sampling.randomness")}`;
  });
}
