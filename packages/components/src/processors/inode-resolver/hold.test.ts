import assert from "node:assert/strict";
import { test } from "node:test";
import type { LookupAnswer } from "@inode-gateway/registry";
import { createMemoryRegistry } from "@inode-gateway/registry";
import { FakeClock, settle } from "@inode-gateway/testkit";
import {
  BOOT_ID,
  batchOf,
  CONTAINER_ID,
  FOREIGN_BOOT_ID,
  type Rig,
  resourcesOf,
  startRig,
  testMapping,
  testNode,
} from "./resolver.rig.js";

const fresh = { "container.cgroup.inode": 5000, "host.boot.id": BOOT_ID };
const { record } = testMapping;

function publishFresh(rig: Rig): Promise<void> {
  return rig.registry.publish(testNode, { published: [{ inode: 5000, record }], vanished: [] });
}

test("a batch waits for its mapping and leaves as soon as it is published", async () => {
  const rig = await startRig();
  const delivery = rig.resolver.consume(batchOf("traces", [fresh]));
  await rig.clock.advanceAndSettle(299);
  assert.equal(rig.output.offered.length, 0);
  assert.equal(rig.settings.meter.sum("inode_gateway_resolver_hold_batches"), 1);

  await publishFresh(rig);
  await delivery;
  const [batch] = rig.output.batches;
  assert.ok(batch);
  assert.equal(resourcesOf("traces", batch.bytes)[0]?.["container.id"], CONTAINER_ID);
  assert.equal(rig.count("holds_started"), 1);
  assert.equal(rig.count("holds_ended", { result: "woken" }), 1);
  assert.equal(rig.settings.meter.sum("inode_gateway_resolver_hold_bytes"), 0);
  assert.equal(rig.clock.pendingTimers, 0);
});

test("a batch whose mapping is not published goes on when its time is up", async () => {
  const rig = await startRig();
  const delivery = rig.resolver.consume(batchOf("traces", [fresh]));
  await rig.clock.advanceAndSettle(300);
  await delivery;
  assert.equal(rig.count("holds_ended", { result: "expired" }), 1);
  assert.equal(rig.count("unresolved_resources", { reason: "unknown_inode" }), 1);
});

test("nobody waits twice for one Resource, yet its publication is heard", async () => {
  const rig = await startRig();
  const first = rig.resolver.consume(batchOf("traces", [fresh]));
  await rig.clock.advanceAndSettle(300);
  await first;
  await rig.clock.advanceAndSettle(5_000);

  await rig.send(fresh);
  assert.equal(rig.count("holds_started"), 1);
  await publishFresh(rig);
  const [resource] = await rig.send(fresh);
  assert.equal(resource?.["container.id"], CONTAINER_ID);
});

test("all batches of a new container wait, each for all of its Resources", async () => {
  const rig = await startRig();
  const other = { ...fresh, "container.cgroup.inode": 5001 };
  const both = rig.resolver.consume(batchOf("traces", [fresh, other]));
  const one = rig.resolver.consume(batchOf("traces", [fresh]));
  await settle();

  await publishFresh(rig);
  await one;
  await settle();
  assert.equal(rig.output.batches.length, 1, "the other batch still waits for inode 5001");
  const published = [{ inode: 5001, record }];
  await rig.registry.publish(testNode, { published, vanished: [] });
  await both;
  assert.equal(rig.count("resolved_resources"), 3);
});

test("a publication without a list of keys wakes everybody of that node", async () => {
  const rig = await startRig();
  const delivery = rig.resolver.consume(batchOf("traces", [fresh]));
  await settle();
  const published = Array.from({ length: 100 }, (_, index) => ({ inode: 4950 + index, record }));
  await rig.registry.publish(testNode, { published, vanished: [] });
  await delivery;
  assert.equal(rig.count("resolved_resources"), 1);
});

test("step 2 waits as well, once the name has led to a node", async () => {
  const rig = await startRig();
  const named = { "container.cgroup.inode": 5000, "k8s.node.name": "worker-1" };
  const delivery = rig.resolver.consume(batchOf("traces", [named]));
  await settle();
  await publishFresh(rig);
  await delivery;
  assert.equal(rig.count("resolved_resources", { step: "node_name" }), 1);
});

test("at most half of the time that a sender has left is spent on waiting", async () => {
  const rig = await startRig();
  const deadlineMs = rig.clock.nowMs() + 100;
  const delivery = rig.resolver.consume(batchOf("traces", [fresh], deadlineMs));
  await rig.clock.advanceAndSettle(49);
  assert.equal(rig.output.batches.length, 0);
  await rig.clock.advanceAndSettle(1);
  await delivery;
  assert.equal(rig.count("holds_ended", { result: "expired" }), 1);
});

test("a sender whose deadline has passed does not wait at all", async () => {
  const rig = await startRig();
  await rig.resolver.consume(batchOf("traces", [fresh], rig.clock.nowMs()));
  assert.equal(rig.count("holds_started"), 0);
  assert.equal(rig.count("hold_overflows"), 0);
});

test("unknown nodes are never waited for", async () => {
  const rig = await startRig();
  await rig.send({ ...fresh, "host.boot.id": FOREIGN_BOOT_ID });
  assert.equal(rig.count("holds_started"), 0);
});

test("batches_max waiting batches are the last that wait; one more passes on", async () => {
  const rig = await startRig({ config: { hold: { batches_max: 2 } } });
  const held = [1, 2].map(() => rig.resolver.consume(batchOf("traces", [fresh])));
  await settle();
  assert.equal(rig.count("holds_started"), 2);

  await rig.resolver.consume(batchOf("traces", [fresh]));
  assert.equal(rig.count("hold_overflows"), 1);
  assert.equal(rig.count("unresolved_resources", { reason: "hold_overflow" }), 1);
  await publishFresh(rig);
  await Promise.all(held);
  assert.equal(rig.count("resolved_resources"), 2);
});

test("bytes_max is the last total that waits; one byte less and the batch passes on", async () => {
  const { retainedBytes } = batchOf("traces", [fresh]);
  for (const [bytesMax, overflows] of [
    [2 * retainedBytes, 0],
    [2 * retainedBytes - 1, 1],
  ] as const) {
    const rig = await startRig({ config: { hold: { bytes_max: bytesMax } } });
    const deliveries = [1, 2].map(() => rig.resolver.consume(batchOf("traces", [fresh])));
    await settle();
    assert.equal(rig.count("hold_overflows"), overflows);
    await rig.clock.advanceAndSettle(300);
    await Promise.all(deliveries);
  }
});

test("shutdown sends waiting batches on at once", async () => {
  const rig = await startRig();
  const delivery = rig.resolver.consume(batchOf("traces", [fresh]));
  await settle();
  await rig.resolver.shutdown(rig.clock.nowMs() + 10_000);
  await delivery;
  assert.equal(rig.output.batches.length, 1);
  assert.equal(rig.count("holds_ended", { result: "shutdown" }), 1);
  assert.equal(rig.clock.pendingTimers, 0);
});

// Scenario: the registry answers a question only after the publication it overlooked was heard.
test("a publication that overtakes the answer to an earlier question is not missed", async () => {
  const clock = new FakeClock();
  const registry = createMemoryRegistry({ clock });
  await registry.publish(testNode, { published: [testMapping], vanished: [] });
  let release: (() => void) | undefined;
  const late = Object.create(registry, {
    lookup: {
      value: async (keys: Parameters<typeof registry.lookup>[0]): Promise<LookupAnswer[]> => {
        const answers = await registry.lookup(keys);
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        return answers;
      },
    },
    cached: { value: () => undefined },
    onPublished: { value: registry.onPublished.bind(registry) },
    onAvailability: { value: () => () => {} },
    availability: { value: { isAvailable: true } },
    publish: { value: registry.publish.bind(registry) },
  }) as typeof registry;
  const rig = await startRig({ registry: late });

  const delivery = rig.resolver.consume(batchOf("traces", [fresh]));
  await settle();
  await publishFresh(rig);
  release?.();
  await settle();
  release?.();
  await delivery;
  assert.equal(rig.count("resolved_resources"), 1);
  assert.equal(rig.count("holds_started"), 0, "it was asked again instead");
});
