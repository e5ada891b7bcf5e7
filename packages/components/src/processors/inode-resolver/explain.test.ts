import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryRegistry, createRedisRegistry } from "@inode-gateway/registry";
import { FakeClock } from "@inode-gateway/testkit";
import { explainResolution } from "./explain.js";
import { BOOT_ID, CONTAINER_ID, FOREIGN_BOOT_ID, testMapping, testNode } from "./resolver.rig.js";

async function filledRegistry() {
  const registry = createMemoryRegistry({ clock: new FakeClock() });
  await registry.publish(testNode, { published: [testMapping], vanished: [] });
  return registry;
}

test("explains which step answered", async () => {
  const attributes = { "container.cgroup.inode": "4026", "host.boot.id": BOOT_ID };
  const explanation = await explainResolution(attributes, await filledRegistry());
  assert.equal(explanation.outcome, "resolved");
  assert.equal(explanation.record?.containerId, CONTAINER_ID);
  assert.deepEqual(explanation.steps, [
    {
      number: 1,
      name: "boot_id",
      outcome: "resolved",
      reason: undefined,
      sentence: `inode 4026 on boot ID ${BOOT_ID} is container ${CONTAINER_ID}`,
    },
  ]);
  assert.equal(explanation.summary, `resolved by step 1 (boot_id): container ${CONTAINER_ID}`);
});

test("explains why the first step did not answer and the second did", async () => {
  const attributes = {
    "container.cgroup.inode": 4026n,
    "host.boot.id": FOREIGN_BOOT_ID,
    "k8s.node.name": "worker-1",
  };
  const { steps } = await explainResolution(attributes, await filledRegistry());
  assert.deepEqual(
    steps.map(({ sentence }) => sentence),
    [
      `boot ID ${FOREIGN_BOOT_ID} is not known to the registry`,
      `inode 4026 on the node with k8s.node.name "worker-1" is container ${CONTAINER_ID}`,
    ],
  );
});

test("names the node and its last heartbeat when the inode is not there", async () => {
  const attributes = { "container.cgroup.inode": 5000, "host.boot.id": BOOT_ID };
  const { reason, steps, summary } = await explainResolution(attributes, await filledRegistry());
  assert.equal(reason, "unknown_inode");
  assert.equal(
    steps[0]?.sentence,
    `inode 5000 on boot ID ${BOOT_ID} is not published, although its reporter is alive ` +
      "(node worker-1, 1 mappings, last heard 2026-01-01T00:00:00.000Z)",
  );
  assert.equal(steps[1]?.reason, "node_known");
  assert.match(summary, /^unresolved \(unknown_inode\): the node's reporter is alive/);
});

for (const [attributes, reason, sentences] of [
  [
    {},
    "no_inode",
    ["not asked: the Resource carries no inode", "not asked: the Resource carries no inode"],
  ],
  [
    { "container.cgroup.inode": 1 },
    "invalid_inode",
    [
      "not asked: the inode is not a whole number from 3 to 2^53 - 1",
      "not asked: the inode is not a whole number from 3 to 2^53 - 1",
    ],
  ],
  [
    { "container.cgroup.inode": 4026, "host.name": "elsewhere" },
    "unknown_node",
    [
      "not asked: the Resource carries no host.boot.id",
      'the node with host.name "elsewhere" is not known to the registry',
    ],
  ],
  [
    { "container.cgroup.inode": 4026 },
    "no_node",
    [
      "not asked: the Resource carries no host.boot.id",
      "not asked: the Resource carries no k8s.node.name, host.id or host.name",
    ],
  ],
] as const) {
  test(`explains ${reason}`, async () => {
    const explanation = await explainResolution(attributes, await filledRegistry());
    assert.equal(explanation.reason, reason);
    assert.deepEqual(
      explanation.steps.map(({ sentence }) => sentence),
      sentences,
    );
  });
}

test("explains that the registry is away", async () => {
  const registry = createRedisRegistry({ endpoint: "redis://127.0.0.1:1" });
  const attributes = {
    "container.cgroup.inode": 4026,
    "host.boot.id": BOOT_ID,
    "k8s.node.name": "worker-1",
  };
  const { reason, steps } = await explainResolution(attributes, registry);
  assert.equal(reason, "registry_unavailable");
  assert.match(steps[0]?.sentence ?? "", /could not be looked up: the registry is away$/);
});
