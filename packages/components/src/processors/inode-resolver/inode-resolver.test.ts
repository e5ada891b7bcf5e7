import assert from "node:assert/strict";
import { test } from "node:test";
import { Batch, PermanentError, RetryableError } from "@inode-gateway/contract";
import { createMemoryRegistry } from "@inode-gateway/registry";
import { FakeClock } from "@inode-gateway/testkit";
import { RESOURCES_PER_BATCH_MAX } from "./inode-resolver.js";
import {
  asExtension,
  BOOT_ID,
  batchOf,
  CONTAINER_ID,
  FOREIGN_BOOT_ID,
  OTHER_ID,
  startRig,
  testMapping,
  testNode,
} from "./resolver.rig.js";

const enriched = {
  "service.name": "checkout",
  "container.id": CONTAINER_ID,
  "k8s.container.name": "checkout",
  "k8s.container.restart_count": "2",
  "k8s.pod.name": "checkout-7f9c",
};

const identified = {
  "service.name": "checkout",
  "container.cgroup.inode": 4026,
  "host.boot.id": BOOT_ID,
};

test("step 1 writes the container and its metadata and takes the identity away", async () => {
  const rig = await startRig();

  assert.deepEqual(await rig.send(identified), [enriched]);
  assert.equal(rig.count("resolved_resources", { step: "boot_id" }), 1);
  assert.equal(rig.count("resolved_items", { step: "boot_id" }), 2);
  assert.equal(rig.count("unresolved_resources"), 0);
});

for (const signal of ["metrics", "logs"] as const) {
  test(`resolves ${signal} as well`, async () => {
    const rig = await startRig({ signal });
    assert.deepEqual(await rig.send(identified), [enriched]);
    assert.equal(rig.count("resolved_items", { otel_signal: signal }), 2);
  });
}

test("step 1 takes the inode as decimal text and the boot ID in capitals", async () => {
  const rig = await startRig();
  const sent = {
    "service.name": "checkout",
    "container.cgroup.inode": "4026",
    "host.boot.id": BOOT_ID.toUpperCase(),
  };
  assert.deepEqual(await rig.send(sent), [enriched]);
});

test("step 1 takes the device of a hybrid node, and refuses to guess without one", async () => {
  const clock = new FakeClock();
  const registry = createMemoryRegistry({ clock });
  const node = { ...testNode, hierarchy: "hybrid", devices: [32, 38] } as const;
  const other = { containerId: OTHER_ID, attributes: {} };
  const published = [
    { ...testMapping, device: 38 },
    { inode: 4026, device: 32, record: other },
  ];
  await registry.publish(node, { published, vanished: [] });
  const rig = await startRig({ registry });

  const [withDevice] = await rig.send({ ...identified, "container.cgroup.device": 32 });
  assert.deepEqual(withDevice, { "service.name": "checkout", "container.id": OTHER_ID });
  const [asText] = await rig.send({ ...identified, "container.cgroup.device": "38" });
  assert.deepEqual(asText, enriched);
  await rig.send(identified);
  assert.equal(rig.count("unresolved_resources", { reason: "ambiguous" }), 1);
});

for (const [name, attribute] of [
  ["k8s.node.name", "worker-1"],
  ["host.id", "machine-1"],
  ["host.name", "worker-1.internal"],
] as const) {
  test(`step 2 finds the node by ${name} when there is no boot ID`, async () => {
    const rig = await startRig();
    const sent = { "service.name": "checkout", "container.cgroup.inode": 4026, [name]: attribute };
    const [resource] = await rig.send(sent);
    assert.deepEqual(resource, { ...enriched, [name]: attribute });
    assert.equal(rig.count("resolved_resources", { step: "node_name" }), 1);
  });
}

test("step 2 answers when no reporter knows the boot ID, as in LXC", async () => {
  const rig = await startRig();
  const [resource] = await rig.send({
    ...identified,
    "host.boot.id": FOREIGN_BOOT_ID,
    "k8s.node.name": "worker-1",
  });
  assert.deepEqual(resource, { ...enriched, "k8s.node.name": "worker-1" });
});

// Scenario: the boot ID leads to a node that does not have the inode; the name leads to one that has.
test("step 2 is not asked when the boot ID leads to a node", async () => {
  const rig = await startRig({ config: { hold: { timeout: "0s" } } });
  const second = { ...testNode, bootId: FOREIGN_BOOT_ID, nodeName: "worker-2", hostName: "two" };
  await rig.registry.publish(second, { published: [], vanished: [] });
  const sent = { ...identified, "host.boot.id": FOREIGN_BOOT_ID, "k8s.node.name": "worker-1" };

  assert.deepEqual(await rig.send(sent), [{ ...sent, "container.cgroup.inode": "4026" }]);
  assert.equal(rig.count("unresolved_resources", { reason: "unknown_inode" }), 1);
});

test("two live nodes with one name are ambiguous", async () => {
  const rig = await startRig();
  const second = { ...testNode, bootId: FOREIGN_BOOT_ID };
  await rig.registry.publish(second, { published: [testMapping], vanished: [] });

  await rig.send({ "container.cgroup.inode": 4026, "k8s.node.name": "worker-1" });
  assert.equal(rig.count("unresolved_resources", { reason: "ambiguous" }), 1);
});

const unresolved = [
  ["no_inode", {}],
  ["no_inode", { "host.boot.id": BOOT_ID }],
  ["no_inode", { "container.cgroup.inode": "", "host.boot.id": BOOT_ID }],
  ["invalid_inode", { "container.cgroup.inode": 2, "host.boot.id": BOOT_ID }],
  ["invalid_inode", { "container.cgroup.inode": -5, "host.boot.id": BOOT_ID }],
  ["invalid_inode", { "container.cgroup.inode": 2n ** 53n, "host.boot.id": BOOT_ID }],
  ["invalid_inode", { "container.cgroup.inode": "4026 ", "host.boot.id": BOOT_ID }],
  ["invalid_inode", { "container.cgroup.inode": true, "host.boot.id": BOOT_ID }],
  ["invalid_inode", { "datadog.container.cgroup_inode": "4026", "host.boot.id": BOOT_ID }],
  ["invalid_device", { ...identified, "container.cgroup.device": "0:38" }],
  ["invalid_boot_id", { "container.cgroup.inode": 4026, "host.boot.id": "worker-1" }],
  ["no_node", { "container.cgroup.inode": 4026 }],
  ["unknown_node", { "container.cgroup.inode": 4026, "host.boot.id": FOREIGN_BOOT_ID }],
  ["unknown_node", { "container.cgroup.inode": 4026, "k8s.node.name": "worker-9" }],
  ["unknown_inode", { "container.cgroup.inode": 4027, "host.boot.id": BOOT_ID }],
] as const;
for (const [reason, attributes] of unresolved) {
  const shown = JSON.stringify(attributes, (_, value) =>
    typeof value === "bigint" ? String(value) : value,
  );
  test(`${shown} passes on byte by byte, counted as ${reason}`, async () => {
    const rig = await startRig({ config: { hold: { timeout: "0s" } } });
    const batch = batchOf("traces", [attributes]);

    await rig.resolver.consume(batch);
    assert.equal(rig.output.batches[0], batch, "the very same batch");
    assert.equal(rig.count("unresolved_resources", { reason }), 1);
    assert.equal(rig.count("unresolved_items", { reason }), 2);
    assert.equal(rig.count("unresolved_resources"), 1);
    assert.equal(rig.count("resolved_resources"), 0);
  });
}

test("the last accepted inode is 2^53 - 1 and the first one is 3", async () => {
  const rig = await startRig();
  const { record } = testMapping;
  const published = [
    { inode: 3, record },
    { inode: Number.MAX_SAFE_INTEGER, record },
  ];
  await rig.registry.publish(testNode, { published, vanished: [] });

  await rig.send({ "container.cgroup.inode": 3, "host.boot.id": BOOT_ID });
  await rig.send({ "container.cgroup.inode": String(2 ** 53 - 1), "host.boot.id": BOOT_ID });
  assert.equal(rig.count("resolved_resources"), 2);
});

test("a node whose reporter is overdue is stale and not waited for", async () => {
  const rig = await startRig();
  rig.clock.advance(90_001);

  await rig.send({ "container.cgroup.inode": 4027, "host.boot.id": BOOT_ID });
  assert.equal(rig.count("unresolved_resources", { reason: "stale_node" }), 1);
  assert.equal(rig.count("holds_started"), 0);
});

test("aliases carry the inode, the first that is present decides", async () => {
  const config = { inode_attributes: ["datadog.container.cgroup_inode", "my.inode"] };
  const rig = await startRig({ config });
  const base = { "service.name": "checkout", "host.boot.id": BOOT_ID };

  assert.deepEqual(await rig.send({ ...base, "datadog.container.cgroup_inode": 4026 }), [enriched]);
  assert.deepEqual(await rig.send({ ...base, "my.inode": "4026" }), [enriched]);
  const [both] = await rig.send({ ...base, "container.cgroup.inode": 4026, "my.inode": 7 });
  assert.deepEqual(both, { ...enriched, "my.inode": "7" }, "what was not used stays");
});

test("keep_inode leaves inode and boot ID where they are", async () => {
  const rig = await startRig({ config: { keep_inode: true } });
  const kept = { "container.cgroup.inode": "4026", "host.boot.id": BOOT_ID };
  assert.deepEqual(await rig.send(identified), [{ ...enriched, ...kept }]);
});

test("a wrong container.id is replaced and counted each time", async () => {
  const rig = await startRig();
  const sent = { ...identified, "container.id": OTHER_ID };

  assert.deepEqual(await rig.send(sent), [enriched]);
  assert.deepEqual(await rig.send(sent), [enriched]);
  assert.equal(rig.count("container_id_conflicts", { action: "replaced" }), 2);
});

test("a wrong container.id is kept and counted when configured so", async () => {
  const rig = await startRig({ config: { container_id_conflict: "keep" } });
  const [resource] = await rig.send({ ...identified, "container.id": OTHER_ID });
  assert.deepEqual(resource, { ...enriched, "container.id": OTHER_ID });
  assert.equal(rig.count("container_id_conflicts", { action: "kept" }), 1);
});

test("an equal or an empty container.id is no conflict", async () => {
  const rig = await startRig({ config: { container_id_conflict: "keep" } });
  for (const id of [CONTAINER_ID, ""]) {
    assert.deepEqual(await rig.send({ ...identified, "container.id": id }), [enriched]);
  }
  assert.equal(rig.count("container_id_conflicts"), 0);
});

test("what the sender set stays, unless overwrite_attributes says otherwise", async () => {
  const sent = { ...identified, "k8s.pod.name": "mine" };
  const keeping = await startRig();
  assert.deepEqual(await keeping.send(sent), [{ ...enriched, "k8s.pod.name": "mine" }]);
  const overwriting = await startRig({ config: { overwrite_attributes: true } });
  assert.deepEqual(await overwriting.send(sent), [enriched]);
});

test("enrich chooses what is written beside container.id", async () => {
  const none = await startRig({ config: { enrich: "none" } });
  const bare = { "service.name": "checkout", "container.id": CONTAINER_ID };
  assert.deepEqual(await none.send(identified), [bare]);
  const some = await startRig({ config: { enrich: ["k8s.pod.name"] } });
  assert.deepEqual(await some.send(identified), [{ ...bare, "k8s.pod.name": "checkout-7f9c" }]);
});

test("the Resources of one batch are resolved each for itself", async () => {
  const rig = await startRig();
  const second = { containerId: OTHER_ID, attributes: {} };
  const published = [{ inode: 5000, record: second }];
  await rig.registry.publish(testNode, { published, vanished: [] });

  const sent = { "container.cgroup.inode": 5000, "host.boot.id": BOOT_ID };
  const resources = await rig.send(identified, { "service.name": "cron" }, sent, identified);
  const expected = [enriched, { "service.name": "cron" }, { "container.id": OTHER_ID }, enriched];
  assert.deepEqual(resources, expected);
  assert.equal(rig.count("resolved_items"), 6);
  assert.equal(rig.count("unresolved_items", { reason: "no_inode" }), 2);
});

test("a Resource that was seen before is not read or looked up again", async () => {
  const rig = await startRig();
  await rig.send(identified);
  await rig.send(identified, { "service.name": "cron" });
  await rig.send(identified, { "service.name": "cron" });

  assert.equal(rig.count("cache_misses"), 2);
  assert.equal(rig.count("cache_hits"), 3);
  assert.equal(rig.count("resolved_resources"), 3);
  assert.equal(rig.settings.meter.sum("inode_gateway_resolver_cache_entries"), 2);
});

test("a batch of known Resources reaches the next consumer before consume returns", async () => {
  const rig = await startRig();
  await rig.send(identified);
  const before = rig.output.offered.length;

  const delivery = rig.resolver.consume(batchOf("traces", [identified]));
  assert.equal(rig.output.offered.length, before + 1);
  await delivery;
});

test("metadata that is published later replaces the remembered result", async () => {
  const rig = await startRig();
  await rig.send(identified);
  const { containerId } = testMapping.record;
  const record = { containerId, attributes: { "k8s.pod.name": "renamed" } };
  await rig.registry.publish(testNode, { published: [{ inode: 4026, record }], vanished: [] });

  const expected = { "service.name": "checkout", "container.id": CONTAINER_ID };
  assert.deepEqual(await rig.send(identified), [{ ...expected, "k8s.pod.name": "renamed" }]);
});

test("a miss is believed for a second, then asked again, without waiting twice", async () => {
  const rig = await startRig({ config: { hold: { timeout: "0s" } } });
  const sent = { "container.cgroup.inode": 4026, "host.boot.id": FOREIGN_BOOT_ID };
  await rig.send(sent);
  rig.clock.advance(999);
  await rig.send(sent);
  assert.equal(rig.count("cache_hits"), 1);
  rig.clock.advance(1);
  await rig.send(sent);
  assert.equal(rig.count("cache_misses"), 2);
  // The second miss is believed for two seconds.
  rig.clock.advance(1_999);
  await rig.send(sent);
  assert.equal(rig.count("cache_hits"), 2);
});

test("a resolved Resource is asked for again after max_age, one found by name after 10 s", async () => {
  const rig = await startRig({ config: { resource_cache: { max_age: "1m" } } });
  const named = { "container.cgroup.inode": 4026, "k8s.node.name": "worker-1" };
  await rig.send(identified, named);
  rig.clock.advance(9_999);
  await rig.send(identified, named);
  assert.equal(rig.count("cache_hits"), 2);
  rig.clock.advance(1);
  await rig.send(identified, named);
  assert.equal(rig.count("cache_hits"), 3);
  rig.clock.advance(50_000);
  await rig.send(identified);
  assert.equal(rig.count("cache_hits"), 3);
});

// Scenario: entries of an empty Resource each, then one that would resolve.
test("65,536 Resources of a batch are looked at, one more passes on", async () => {
  const rig = await startRig();
  const empty = Buffer.alloc(4 * RESOURCES_PER_BATCH_MAX, Uint8Array.of(0x0a, 0x02, 0x0a, 0x00));
  const last = batchOf("logs", [identified]);
  const { origin, signal } = last;
  const fits = Buffer.concat([empty.subarray(4), last.bytes]);
  await rig.resolver.consume(new Batch({ signal, origin, chunks: [fits] }));
  assert.equal(rig.count("resolved_resources"), 1);
  assert.equal(rig.count("unresolved_resources", { reason: "too_many_resources" }), 0);

  const exceeds = Buffer.concat([empty, last.bytes]);
  await rig.resolver.consume(new Batch({ signal, origin, chunks: [exceeds] }));
  assert.equal(rig.count("resolved_resources"), 1);
  assert.equal(rig.count("unresolved_resources", { reason: "too_many_resources" }), 1);
  assert.equal(rig.count("unresolved_items", { reason: "too_many_resources" }), 2);
});

test("a failure of the next consumer reaches the sender as it is", async () => {
  const rig = await startRig();
  const error = new PermanentError("BACKEND_REJECTED", "no");
  rig.output.respond = () => Promise.reject(error);
  await assert.rejects(rig.resolver.consume(batchOf("traces", [identified])), error);
  const unknown = { "container.cgroup.inode": 9, "host.boot.id": FOREIGN_BOOT_ID };
  await assert.rejects(rig.resolver.consume(batchOf("traces", [unknown])), error);
});

test("after shutdown a batch is refused for now and nothing reaches the next consumer", async () => {
  const rig = await startRig();
  await rig.resolver.shutdown(rig.clock.nowMs() + 1_000);
  const isRefused = (error: unknown) =>
    error instanceof RetryableError && error.code === "SHUTTING_DOWN";
  await assert.rejects(rig.resolver.consume(batchOf("traces", [identified])), isRefused);
  assert.equal(rig.output.offered.length, 0);
});

test("an extension that is no registry is named in the error", async () => {
  const { containerRegistryOf } = await import("../../capabilities/container-registry-provider.js");
  const registry = createMemoryRegistry();
  const other = { start: () => Promise.resolve(), shutdown: () => Promise.resolve() };
  const extensions = new Map([
    ["memory_registry", asExtension(registry)],
    ["health_check", other],
  ]);
  const host = { extension: (id: string) => extensions.get(id), componentStatuses: () => [] };

  assert.equal(containerRegistryOf(host, "memory_registry"), registry);
  assert.throws(() => containerRegistryOf(host, "health_check"), {
    message:
      '`registry` names the extension "health_check", which holds no container registry: ' +
      "use a `memory_registry` or a `redis_registry`",
  });
  assert.throws(() => containerRegistryOf(host, "redis_registry"), {
    message:
      '`registry` names the extension "redis_registry", which does not run: ' +
      "list it under `service::extensions`",
  });
});

test("says beforehand what stands behind would refuse", async () => {
  const rig = await startRig();
  assert.equal(rig.resolver.refusal(), undefined);
  const full = new RetryableError("QUEUE_FULL", "sending queue is full");
  const batch = batchOf("traces", [identified]);
  const asked: unknown[] = [];
  const refusal = (given?: Batch) => {
    asked.push(given);
    return full;
  };
  Object.assign(rig.output, { refusal });
  assert.equal(rig.resolver.refusal(), full);
  assert.equal(rig.resolver.refusal(batch), full);
  assert.deepEqual(asked, [undefined, batch]);
});
