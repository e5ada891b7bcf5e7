import assert from "node:assert/strict";
import { test } from "node:test";
import { Batch, type Signal } from "@inode-gateway/contract";
import { checkRequest } from "@inode-gateway/otlp";
import {
  arbitraryRequest,
  CapturingConsumer,
  createTestOrigin,
  createTestSettings,
  itemsOfRequest,
} from "@inode-gateway/testkit";
import fc from "fast-check";
import { attributesProcessor } from "./factory.js";

const signals = ["traces", "metrics", "logs"] as const;

async function process(signal: Signal, request: Uint8Array, config: object): Promise<Uint8Array> {
  const settings = createTestSettings({ kind: "processor", signal });
  const output = new CapturingConsumer();
  const parsed = attributesProcessor.config.parse(config);
  const batch = new Batch({ signal, chunks: [request], origin: createTestOrigin() });
  await attributesProcessor.create(settings, parsed, output).consume(batch);
  return output.batches[0]?.bytes ?? assert.fail("nothing came out");
}

const insert = { key: "inserted.by.test", action: "insert", value: ["a", 1, { b: true }] };

// Guarantees: whatever a request holds, unknown fields and odd encodings included, survives an edit.
for (const signal of signals) {
  test(`what is inserted into any request of ${signal} and deleted again leaves no trace`, async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryRequest(signal), async (request) => {
        const edited = await process(signal, request, { actions: [insert] });
        checkRequest(signal, edited);
        const restored = await process(signal, edited, {
          actions: [{ key: insert.key, action: "delete" }],
        });
        checkRequest(signal, restored);
        assert.deepEqual(itemsOfRequest(signal, restored), itemsOfRequest(signal, request));
      }),
      { numRuns: 150 },
    );
  });
}

test("a request in which nothing changes is passed on itself", async () => {
  const settings = createTestSettings({ kind: "processor", signal: "logs" });
  const output = new CapturingConsumer();
  const parsed = attributesProcessor.config.parse({ actions: [{ key: "x", action: "delete" }] });
  const [request = new Uint8Array()] = fc.sample(arbitraryRequest("logs"), { seed: 1, numRuns: 1 });
  const batch = new Batch({ signal: "logs", chunks: [request], origin: createTestOrigin() });
  await attributesProcessor.create(settings, parsed, output).consume(batch);
  assert.equal(output.batches[0], batch);
});

test("problems of a configuration name the action and the Collector's reason", () => {
  const result = attributesProcessor.config.safeParse({
    actions: [insert, { key: "a", action: "extract", pattern: "(?P<b>x)(y)" }],
  });
  assert.deepEqual(
    result.error?.issues.map(({ message, path }) => [path.join("::"), message]),
    [
      [
        "actions::1",
        'error with key "a" (1-th action): field "pattern" contains at least one unnamed matcher group',
      ],
    ],
  );
});

test("conditions that do not fit the signal are refused with their key", () => {
  const config = attributesProcessor.config.parse({
    exclude: { match_type: "strict", metric_names: ["a"] },
    actions: [insert],
  });
  const create = (signal: Signal) =>
    attributesProcessor.create(
      createTestSettings({ kind: "processor", signal }),
      config,
      new CapturingConsumer(),
    );
  create("metrics");
  assert.throws(() => create("traces"), {
    message: "`exclude`: metric_names should not be specified for trace spans",
  });
});

test("conditions that fit no signal are refused before there is a pipeline", () => {
  for (const include of [
    { match_type: "strict" },
    { match_type: "strict", services: ["a"], metric_names: ["b"] },
    { match_type: "strict", log_bodies: ["a"], span_names: ["b"] },
  ]) {
    const result = attributesProcessor.config.safeParse({ include, actions: [insert] });
    assert.deepEqual(result.error?.issues[0]?.path, ["include"]);
    assert.match(result.error?.issues[0]?.message ?? "", /^fits no signal: for traces /);
  }
});
