import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Batch,
  type BatchOrigin,
  PermanentError,
  RetryableError,
  type Signal,
} from "@inode-gateway/contract";
import {
  CapturingConsumer,
  createTestBatch,
  createTestSettings,
  decodeRequest,
  FakeClock,
  settle,
} from "@inode-gateway/testkit";
import type { z } from "zod";
import { BatchProcessor, PENDING_OVERHEAD_BYTES } from "./batch-processor.js";
import { batchConfig } from "./config.js";

async function startBatch(config: z.input<typeof batchConfig> = {}, signal: Signal = "traces") {
  const clock = new FakeClock();
  const settings = createTestSettings({
    id: "batch",
    kind: "processor",
    signal,
    pipeline: signal,
    clock,
  });
  const output = new CapturingConsumer();
  const processor = new BatchProcessor(settings, batchConfig.parse(config), output);
  await processor.start();
  const sizes = () => output.batches.map(({ itemCount }) => itemCount);
  const count = (name: string) => settings.meter.sum(`otelcol_processor_batch_${name}`);
  const pendingBytes = () => settings.meter.sum("inode_gateway_batch_pending_bytes");
  return { processor, output, clock, settings, sizes, count, pendingBytes };
}

function spans(itemCount: number, origin: Partial<BatchOrigin> = {}): Batch {
  return createTestBatch({ itemCount, origin });
}

function withMetadata(itemCount: number, tenant: string): Batch {
  return spans(itemCount, { metadata: new Map([["x-tenant", [tenant]]]) });
}

test("what came within the timeout is sent as one request", async () => {
  const rig = await startBatch();
  await rig.processor.consume(spans(3));
  await rig.clock.advanceAndSettle(100);
  await rig.processor.consume(spans(4));
  await rig.clock.advanceAndSettle(99);
  assert.deepEqual(rig.sizes(), []);
  assert.equal(rig.settings.ledger.heldItems, 7);

  await rig.clock.advanceAndSettle(1);
  assert.deepEqual(rig.sizes(), [7]);
  assert.equal(rig.settings.ledger.heldItems, 0);
  assert.equal(rig.pendingBytes(), 0);
  assert.equal(rig.count("timeout_trigger_send"), 1);
  assert.equal(rig.count("batch_size_trigger_send"), 0);
});

test("a merged request decodes to the Resources of all, in order", async () => {
  const rig = await startBatch();
  const batches = [spans(1), spans(2)];
  for (const batch of batches) await rig.processor.consume(batch);
  await rig.clock.advanceAndSettle(200);
  const decode = (batch: Batch | undefined) =>
    decodeRequest("traces", batch?.bytes ?? new Uint8Array())["resource_spans"];
  const [merged] = rig.output.batches;
  assert.deepEqual(
    decode(merged),
    batches.flatMap((batch) => decode(batch)),
  );
  assert.deepEqual(
    merged?.mergedFrom.map((batch) => batch.bytes),
    batches.map((batch) => batch.bytes),
  );
});

test("send_batch_size items are sent at once, one less waits", async () => {
  const rig = await startBatch({ send_batch_size: 10 });
  await rig.processor.consume(spans(9));
  await settle();
  assert.deepEqual(rig.sizes(), []);
  await rig.processor.consume(spans(1));
  await settle();
  assert.deepEqual(rig.sizes(), [10]);
  assert.equal(rig.count("batch_size_trigger_send"), 1);
  assert.equal(rig.clock.pendingTimers, 0);
  assert.deepEqual(
    rig.settings.meter.recorded("otelcol_processor_batch_batch_send_size", { processor: "batch" }),
    [10],
  );
});

for (const config of [{ timeout: "0s" }, { send_batch_size: 0 }]) {
  test(`${JSON.stringify(config)} sends every request by itself, at once`, async () => {
    const rig = await startBatch(config);
    await rig.processor.consume(spans(2));
    await rig.processor.consume(spans(3));
    await settle();
    assert.deepEqual(rig.sizes(), [2, 3]);
    assert.equal(rig.clock.pendingTimers, 0);
  });
}

test("send_batch_max_size is never exceeded: a batch of it stays whole, one more is split", async () => {
  const config = { send_batch_size: 10, send_batch_max_size: 10 };
  for (const [itemCount, sizes] of [
    [10, [10]],
    [11, [10, 1]],
    [25, [10, 10, 5]],
  ] as const) {
    const rig = await startBatch(config);
    await rig.processor.consume(spans(itemCount));
    await settle();
    assert.deepEqual(rig.sizes(), sizes);
    assert.equal(rig.pendingBytes(), 0);
  }
});

test("what waits leaves before a request that would exceed the maximum with it", async () => {
  const rig = await startBatch({ send_batch_size: 10, send_batch_max_size: 10 });
  await rig.processor.consume(spans(6));
  await rig.processor.consume(spans(6));
  await settle();
  assert.deepEqual(rig.sizes(), [6]);
  await rig.clock.advanceAndSettle(200);
  assert.deepEqual(rig.sizes(), [6, 6]);
});

test("send_batch_max_bytes is never exceeded: exactly that many fit, one byte less does not", async () => {
  const bytes = spans(4).byteLength;
  for (const [max, sizes] of [
    [2 * bytes, [8]],
    [2 * bytes - 1, [4, 4]],
  ] as const) {
    const rig = await startBatch({ send_batch_max_bytes: max });
    await rig.processor.consume(spans(4));
    await rig.processor.consume(spans(4));
    await rig.clock.advanceAndSettle(200);
    assert.deepEqual(rig.sizes(), sizes);
    for (const batch of rig.output.batches) assert.ok(batch.byteLength <= max);
  }
});

test("a request above send_batch_max_bytes is split, an item that alone is larger goes by itself", async () => {
  const rig = await startBatch({ send_batch_max_bytes: 200 });
  await rig.processor.consume(spans(20));
  await settle();
  assert.equal(rig.output.itemCount, 20);
  assert.ok(rig.output.batches.length > 1);
  for (const batch of rig.output.batches) assert.ok(batch.byteLength <= 200);
  const tiny = await startBatch({ send_batch_max_bytes: 10 });
  await tiny.processor.consume(spans(3));
  await settle();
  assert.deepEqual(tiny.sizes(), [1, 1, 1]);
});

test("an acknowledged batch has no deadline any more, nor have the parts it is made of", async () => {
  const rig = await startBatch();
  await rig.processor.consume(spans(1, { deadlineMs: 5, peer: "10.0.0.1:1", receivedAtMs: 7 }));
  await rig.processor.consume(spans(1, { deadlineMs: 5, peer: "10.0.0.2:1", receivedAtMs: 6 }));
  await rig.clock.advanceAndSettle(200);
  await rig.processor.consume(spans(1, { deadlineMs: 5, peer: "10.0.0.1:1" }));
  await rig.clock.advanceAndSettle(200);
  const [merged, single] = rig.output.batches;
  assert.equal(merged?.origin.deadlineMs, Number.POSITIVE_INFINITY);
  assert.equal(merged?.origin.peer, "several");
  assert.equal(merged?.origin.receivedAtMs, 6);
  assert.deepEqual(
    merged?.mergedFrom.map(({ origin }) => [origin.peer, origin.deadlineMs]),
    [
      ["10.0.0.1:1", Number.POSITIVE_INFINITY],
      ["10.0.0.2:1", Number.POSITIVE_INFINITY],
    ],
  );
  assert.equal(single?.origin.deadlineMs, Number.POSITIVE_INFINITY);
  assert.deepEqual(single?.mergedFrom, []);
});

test("metadata_keys keep requests apart and are all the metadata that is passed on", async () => {
  const rig = await startBatch({ metadata_keys: ["X-Tenant"] });
  const more = new Map([
    ["x-tenant", ["a"]],
    ["x-other", ["1"]],
  ]);
  await rig.processor.consume(withMetadata(1, "a"));
  await rig.processor.consume(withMetadata(2, "b"));
  await rig.processor.consume(spans(4, { metadata: more }));
  await rig.processor.consume(spans(8));
  assert.equal(rig.count("metadata_cardinality"), 3);
  await rig.clock.advanceAndSettle(200);
  assert.deepEqual(
    rig.output.batches.map(({ itemCount, origin }) => [itemCount, ...origin.metadata]),
    [[5, ["x-tenant", ["a"]]], [2, ["x-tenant", ["b"]]], [8]],
  );
  assert.equal(rig.count("metadata_cardinality"), 0);
});

test("metadata_cardinality_limit combinations wait, one more is refused for now", async () => {
  const rig = await startBatch({ metadata_keys: ["x-tenant"], metadata_cardinality_limit: 2 });
  await rig.processor.consume(withMetadata(1, "a"));
  await rig.processor.consume(withMetadata(1, "b"));
  await assert.rejects(rig.processor.consume(withMetadata(1, "c")), {
    code: "QUEUE_FULL",
    retryAfterMs: 1_000,
    message:
      "2 combinations of metadata values wait to be sent, which is `metadata_cardinality_limit`",
  });
  await rig.clock.advanceAndSettle(200);
  await rig.processor.consume(withMetadata(1, "c"));
  assert.equal(rig.settings.ledger.heldItems, 1);
});

test("pending_bytes_max is accepted in all, one byte more is refused for now", async () => {
  const each = spans(1).retainedBytes + PENDING_OVERHEAD_BYTES;
  for (const [max, isRefused] of [
    [2 * each, false],
    [2 * each - 1, true],
  ] as const) {
    const rig = await startBatch({ pending_bytes_max: max });
    await rig.processor.consume(spans(1));
    const second = rig.processor.consume(spans(1));
    if (isRefused) {
      await assert.rejects(
        second,
        (error) => error instanceof RetryableError && error.code === "QUEUE_FULL",
      );
    } else await second;
    assert.equal(rig.settings.ledger.heldItems, isRefused ? 1 : 2);
  }
});

test("a request above pending_bytes_max is refused for good", async () => {
  const max = spans(1).retainedBytes + PENDING_OVERHEAD_BYTES - 1;
  const rig = await startBatch({ pending_bytes_max: max });
  await assert.rejects(
    rig.processor.consume(spans(1)),
    (error) => error instanceof PermanentError && error.code === "BATCH_TOO_LARGE",
  );
});

test("asked beforehand, it refuses what consume would, and while the next component refuses", async () => {
  const each = spans(1).retainedBytes + PENDING_OVERHEAD_BYTES;
  const rig = await startBatch({ pending_bytes_max: 2 * each });
  await rig.processor.consume(spans(1));
  assert.equal(rig.processor.refusal(spans(1)), undefined);
  assert.equal(rig.processor.refusal(), undefined);
  await rig.processor.consume(spans(1));
  assert.equal(rig.processor.refusal(spans(1))?.code, "QUEUE_FULL");
  assert.equal(rig.processor.refusal()?.code, "QUEUE_FULL");
  await rig.clock.advanceAndSettle(200);
  const asked: unknown[] = [];
  const full = new RetryableError("QUEUE_FULL", "full", { retryAfterMs: 2_000 });
  Object.assign(rig.output, {
    refusal: (batch?: Batch) => {
      asked.push(batch);
      return full;
    },
  });
  const samples = createTestBatch({ signal: "profiles" });
  assert.equal(rig.processor.refusal(spans(1)), full, "it would be lost there");
  assert.equal(rig.processor.refusal(samples), full);
  assert.deepEqual(asked, [undefined, samples], "merged it will have another size");
  await rig.processor.shutdown(rig.clock.nowMs() + 1_000);
  assert.equal(rig.processor.refusal()?.code, "SHUTTING_DOWN");
});

test("bytes count as pending until the next component has taken the batch", async () => {
  const rig = await startBatch({ timeout: "0s" });
  let take: (() => void) | undefined;
  rig.output.respond = () =>
    new Promise((resolve) => {
      take = resolve;
    });
  await rig.processor.consume(spans(1));
  assert.equal(rig.pendingBytes(), spans(1).retainedBytes + PENDING_OVERHEAD_BYTES);
  take?.();
  await settle();
  assert.equal(rig.pendingBytes(), 0);
});

test("num_consumers batches are on their way, the next one waits its turn", async () => {
  const rig = await startBatch({ timeout: "0s", num_consumers: 2 });
  const taken: (() => void)[] = [];
  rig.output.respond = () =>
    new Promise((resolve) => {
      taken.push(resolve);
    });
  for (const itemCount of [1, 2, 3, 4]) await rig.processor.consume(spans(itemCount));
  assert.equal(rig.output.offered.length, 2);
  assert.equal(rig.settings.ledger.heldItems, 7, "what is on its way is the engine's to count");
  taken[0]?.();
  await settle();
  assert.equal(rig.output.offered.length, 3);
  taken[1]?.();
  taken[2]?.();
  await settle();
  taken[3]?.();
  await settle();
  assert.deepEqual(rig.sizes().sort(), [1, 2, 3, 4]);
});

for (const [error, reason] of [
  [new PermanentError("BACKEND_REJECTED", "no"), "backend_rejected"],
  [new RetryableError("QUEUE_FULL", "later"), "queue_full"],
] as const) {
  test(`a batch that is refused with ${error.code} is dropped, counted and logged`, async () => {
    const rig = await startBatch({ timeout: "0s" });
    rig.output.respond = () => Promise.reject(error);
    await rig.processor.consume(spans(5));
    await rig.settings.backgroundSettled();
    assert.deepEqual(rig.settings.ledger.dropReasons, { [reason]: 5 });
    assert.equal(rig.settings.ledger.heldItems, 0);
    assert.equal(rig.pendingBytes(), 0);
    const [line] = rig.settings.logger.records;
    assert.equal(line?.level, "error");
    assert.deepEqual(line?.fields, { reason, dropped_items: 5, error });
    assert.deepEqual(rig.settings.backgroundFailures, []);
  });
}

test("a bug behind the processor drops the batch and is reported as a bug", async () => {
  const rig = await startBatch({ timeout: "0s" });
  const error = new TypeError("oops");
  rig.output.respond = () => Promise.reject(error);
  await rig.processor.consume(spans(5));
  await rig.settings.backgroundSettled();
  assert.deepEqual(rig.settings.ledger.dropReasons, { internal_error: 5 });
  assert.deepEqual(rig.settings.backgroundFailures, [{ name: "batch send", error }]);
});

test("a request without items is accepted and goes nowhere", async () => {
  const rig = await startBatch();
  await rig.processor.consume(spans(0));
  await rig.clock.advanceAndSettle(1_000);
  assert.equal(rig.output.offered.length, 0);
});

test("profiles pass one by one, and their sender is told what became of them", async () => {
  const rig = await startBatch({}, "profiles");
  const batch = createTestBatch({ signal: "profiles" });
  await rig.processor.consume(batch);
  assert.deepEqual(rig.output.batches, [batch]);
  const error = new RetryableError("BACKEND_UNAVAILABLE", "away");
  rig.output.respond = () => Promise.reject(error);
  await assert.rejects(rig.processor.consume(batch), error);
});

test("shutdown sends what waits and then takes nothing any more", async () => {
  const rig = await startBatch();
  await rig.processor.consume(spans(3));
  await rig.processor.shutdown(rig.clock.nowMs() + 1_000);
  assert.deepEqual(rig.sizes(), [3]);
  assert.equal(rig.clock.pendingTimers, 0);
  await assert.rejects(
    rig.processor.consume(spans(1)),
    (error) => error instanceof RetryableError && error.code === "SHUTTING_DOWN",
  );
});

test("what cannot be sent by the deadline of shutdown is dropped and counted", async () => {
  const rig = await startBatch({ timeout: "0s", num_consumers: 1 });
  rig.output.respond = () => new Promise(() => {});
  await rig.processor.consume(spans(2));
  await rig.processor.consume(spans(3));
  const stopped = rig.processor.shutdown(rig.clock.nowMs() + 1_000);
  await rig.clock.advanceAndSettle(999);
  assert.equal(rig.settings.ledger.heldItems, 3);
  await rig.clock.advanceAndSettle(1);
  await stopped;
  assert.deepEqual(rig.settings.ledger.dropReasons, { shutdown: 3 });
  assert.equal(rig.settings.ledger.heldItems, 0);
});

test("configuration: the rules across keys name the key to change", () => {
  const problem = (config: unknown) =>
    batchConfig.safeParse(config).error?.issues.map(({ message, path }) => [path.join(), message]);
  assert.equal(problem({ send_batch_size: 10, send_batch_max_size: 10 }), undefined);
  assert.deepEqual(problem({ send_batch_size: 10, send_batch_max_size: 9 }), [
    ["send_batch_max_size", "is 9, must be at least `send_batch_size`, which is 10, or 0"],
  ]);
  assert.deepEqual(problem({ metadata_keys: ["a", "A"] }), [
    ["metadata_keys", "has a duplicate entry; upper and lower case are the same here"],
  ]);
});
