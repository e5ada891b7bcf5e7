import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Batch,
  type BatchOrigin,
  type Consumer,
  RetryableError,
  type Signal,
} from "@inode-gateway/contract";
import { EDITED_ATTRIBUTES_MAX, RequestView, WireWriter } from "@inode-gateway/otlp";
import {
  buildRequest,
  CapturingConsumer,
  createTestOrigin,
  createTestSettings,
} from "@inode-gateway/testkit";
import { resourceProcessor } from "./factory.js";

function start(actions: readonly object[], next?: Consumer, signal: Signal = "traces") {
  const settings = createTestSettings({ id: "resource", kind: "processor", signal });
  const config = resourceProcessor.config.parse({ attributes: actions });
  const output = new CapturingConsumer();
  const processor = resourceProcessor.create(settings, config, next ?? output);
  const count = (name: string) => settings.meter.sum(`inode_gateway_resource_cache_${name}`);
  return { processor, output, count };
}

function batchOf(bytes: Uint8Array, origin: Partial<BatchOrigin> = {}): Batch {
  return new Batch({ signal: "traces", chunks: [bytes], origin: createTestOrigin(origin) });
}

function attributes(batch: Batch | undefined): Record<string, unknown>[] {
  const view = new RequestView(batch?.bytes ?? new Uint8Array());
  return [...view.resources()].map(({ resource }) => Object.fromEntries(resource.attributes()));
}

const environment = { key: "deployment.environment.name", action: "insert", value: "production" };

test("a Resource that was seen before is not edited again, and its items are shared", async () => {
  const { count, output, processor } = start([environment]);
  const request = buildRequest("traces", { resources: 2, itemsPerScope: 50 });
  for (let round = 0; round < 3; round++) await processor.consume(batchOf(request));
  assert.deepEqual([count("misses"), count("hits")], [2, 4]);
  for (const batch of output.batches) {
    for (const each of attributes(batch)) {
      assert.equal(each["deployment.environment.name"], "production");
    }
    assert.ok(batch.chunks.some((chunk) => chunk.buffer === request.buffer));
    assert.equal(batch.itemCount, 100);
  }
});

test("a request whose Resources stay as they are is passed on itself", async () => {
  const { output, processor } = start([{ key: "absent", action: "delete" }]);
  const batch = batchOf(buildRequest("traces"));
  await processor.consume(batch);
  assert.equal(output.batches[0], batch);
});

test("what depends on the sender is never remembered", async () => {
  const { count, output, processor } = start([
    { key: "tenant", action: "upsert", from_context: "metadata.X-Tenant" },
    { key: "peer", action: "upsert", from_context: "client.address" },
  ]);
  const request = buildRequest("traces");
  for (const tenant of ["a", "b"]) {
    const metadata = new Map([["x-tenant", [tenant, "x"]]]);
    await processor.consume(batchOf(request, { metadata, peer: "[fd00::7]:4317" }));
  }
  await processor.consume(batchOf(request, { peer: "unix:/run/otlp.sock" }));
  const found = output.batches.flatMap(attributes).map(({ peer, tenant }) => [tenant, peer]);
  assert.deepEqual(found, [
    ["a;x", "fd00::7"],
    ["b;x", "fd00::7"],
    [undefined, "unix:/run/otlp.sock"],
  ]);
  assert.equal(count("hits"), 0);
});

test("a Resource with the most attributes is edited, one more is refused for good", async () => {
  const { output, processor } = start([environment]);
  for (const attributesCount of [EDITED_ATTRIBUTES_MAX, EDITED_ATTRIBUTES_MAX + 1]) {
    const writer = new WireWriter();
    const group = writer.startMessage(1);
    const resource = writer.startMessage(1);
    for (let index = 0; index < attributesCount; index++) {
      writer.endMessage(writer.startMessage(1));
    }
    writer.endMessage(resource);
    writer.endMessage(group);
    const answer = processor.consume(batchOf(writer.finish()));
    if (attributesCount === EDITED_ATTRIBUTES_MAX) await answer;
    else {
      await assert.rejects(answer, {
        code: "BATCH_TOO_LARGE",
        message: "a list has more than 65536 attributes, the most that can be edited",
      });
    }
  }
  assert.equal(output.batches.length, 1);
});

test("what follows refuses beforehand through it", () => {
  const refusal = new RetryableError("QUEUE_FULL", "full");
  const { processor } = start([environment], {
    consume: () => Promise.resolve(),
    refusal: () => refusal,
  });
  assert.equal(processor.refusal?.(), refusal);
  assert.equal(start([environment]).processor.refusal?.(), undefined);
});
