import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Batch, type Consumer, type Processor, type Signal } from "@inode-gateway/contract";
import { checkRequest } from "@inode-gateway/otlp";
import {
  CapturingConsumer,
  createTestOrigin,
  createTestSettings,
  decodeRequest,
} from "@inode-gateway/testkit";
import { attributesProcessor } from "./processors/attributes/factory.js";
import { resourceProcessor } from "./processors/resource/factory.js";

/**
 * What the Collector's own `attributes` and `resource` processors (contrib v0.155.0) answered: the error
 * of a configuration, or the request that came out for the one request of that signal, in base64.
 */
interface CollectorResults {
  readonly requests: Readonly<Record<string, string>>;
  readonly cases: readonly CollectorCase[];
}

interface CollectorCase {
  readonly name: string;
  readonly processor: "attributes" | "resource";
  readonly signal: Signal;
  readonly config: unknown;
  readonly error?: string;
  readonly output?: string;
}

const path = new URL("../src/attribute-actions/collector-results.json", import.meta.url);
const collector = JSON.parse(readFileSync(path, "utf8")) as CollectorResults;

// The client that the Collector saw.
const origin = createTestOrigin({
  peer: "10.1.2.3:4567",
  metadata: new Map([
    ["x-tenant", ["a", "b"]],
    ["plain", ["p"]],
  ]),
  auth: new Map([["username", "bob"]]),
});

for (const expected of collector.cases) {
  test(`as the Collector's ${expected.processor}: ${expected.name}`, async () => {
    const output = new CapturingConsumer();
    if (expected.error !== undefined) {
      assert.throws(() => create(expected, output), `the Collector says: ${expected.error}`);
      return;
    }
    const request = Buffer.from(collector.requests[expected.signal] ?? "", "base64");
    const { signal } = expected;
    await create(expected, output).consume(new Batch({ signal, chunks: [request], origin }));
    const bytes = output.batches[0]?.bytes ?? new Uint8Array();
    checkRequest(signal, bytes);
    assert.deepEqual(
      withoutEmpty(decodeRequest(signal, bytes)),
      withoutEmpty(decodeRequest(signal, Buffer.from(expected.output ?? "", "base64"))),
    );
  });
}

function create({ config, processor, signal }: CollectorCase, next: Consumer): Processor {
  const settings = createTestSettings({ id: processor, kind: "processor", signal });
  if (processor === "resource") {
    return resourceProcessor.create(settings, resourceProcessor.config.parse(config), next);
  }
  return attributesProcessor.create(settings, attributesProcessor.config.parse(config), next);
}

// The Collector writes messages without content, which say the same as none, and its deletion changes
// the order of attributes, which has no meaning.
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) {
    const elements = value.map(withoutEmpty);
    return elements.every((each) => keyOf(each) !== undefined)
      ? elements.sort((one, other) => ((keyOf(one) ?? "") < (keyOf(other) ?? "") ? -1 : 1))
      : elements;
  }
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  const entries = Object.entries(value)
    .map(([key, each]) => [key, withoutEmpty(each)] as const)
    .filter(([, each]) => JSON.stringify(each) !== "{}");
  return Object.fromEntries(entries);
}

function keyOf(element: unknown): string | undefined {
  return (element as { readonly key?: string } | null)?.key;
}
