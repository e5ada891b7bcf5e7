import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryRegistry, createRedisRegistry } from "@inode-gateway/registry";
import { runLifecycleSuite, settle, startRedis, waitUntil } from "@inode-gateway/testkit";
import { inodeResolver } from "./factory.js";
import {
  asExtension,
  BOOT_ID,
  batchOf,
  CONTAINER_ID,
  startRig,
  testMapping,
  testNode,
} from "./resolver.rig.js";

const identified = { "container.cgroup.inode": 4026, "host.boot.id": BOOT_ID };

// Scenario: a reporter and a gateway, each with its own connection to one Redis. The rig's clock
// stands still, so that a held batch can only be woken, never expire.
test("a publication in Redis wakes a held batch, and a dead Redis blocks nothing", async () => {
  await using redis = await startRedis();
  const reporter = createRedisRegistry({ endpoint: redis.endpoint });
  const registry = createRedisRegistry({ endpoint: redis.endpoint });
  const rig = await startRig({ registry });
  try {
    await Promise.all([reporter.start(), registry.start()]);
    await waitUntil(() => reporter.availability.isAvailable && registry.availability.isAvailable);
    await reporter.publish(testNode, { published: [], vanished: [] });

    const delivery = rig.resolver.consume(batchOf("traces", [identified]));
    await waitUntil(() => rig.count("holds_started") === 1);
    await reporter.publish(testNode, { published: [testMapping], vanished: [] });
    await delivery;
    assert.equal(rig.count("holds_ended", { result: "woken" }), 1);

    const [named] = await rig.send({ "container.cgroup.inode": 4026, "k8s.node.name": "worker-1" });
    assert.equal(named?.["container.id"], CONTAINER_ID);
    assert.equal(rig.count("resolved_resources", { step: "node_name" }), 1);

    await redis.kill();
    await waitUntil(() => !registry.availability.isAvailable);
    const [known] = await rig.send(identified);
    assert.equal(known?.["container.id"], CONTAINER_ID, "the cache serves on");
    await rig.send({ ...identified, "container.cgroup.inode": 7 });
    await rig.send({ "container.cgroup.inode": 7, "k8s.node.name": "worker-1" });
    assert.equal(rig.count("unresolved_resources", { reason: "registry_unavailable" }), 2);

    await redis.restart();
    await waitUntil(() => registry.availability.isAvailable, { limitMs: 20_000 });
    await waitUntil(() => reporter.availability.isAvailable, { limitMs: 20_000 });
    const published = [{ inode: 7, record: testMapping.record }];
    await reporter.reconcile(testNode, [testMapping, ...published]);
    // The rig's clock has not moved: what was unavailable is forgotten, not merely expired.
    await settle();
    const [back] = await rig.send({ ...identified, "container.cgroup.inode": 7 });
    assert.equal(back?.["container.id"], CONTAINER_ID);
  } finally {
    await rig.resolver.shutdown(rig.clock.nowMs());
    await Promise.all([reporter.stop(), registry.stop()]);
  }
});

runLifecycleSuite(inodeResolver, {
  config: { registry: "memory_registry" },
  extensions: () => ({ memory_registry: asExtension(createMemoryRegistry()) }),
});
