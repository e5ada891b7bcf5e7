import assert from "node:assert/strict";
import type { Mapping } from "@inode-gateway/registry";
import { createTestMapping, createTestNode, suiteTimes, testBootId } from "./registry-fixture.js";
import type { RegistryCase } from "./registry-suite.js";

const node = createTestNode();
const { bootId } = node;

/** Nodes as a whole: their names, what operators see, starting and stopping. */
export const nodeCases: readonly RegistryCase[] = [
  [
    "finds a live node by each of its names, the first that is set deciding",
    async ({ reporter, openGateway }) => {
      await reporter.heartbeat(node);
      const gateway = await openGateway();
      const { nodeName, hostId, hostName } = node;
      for (const names of [{ nodeName }, { hostId }, { hostName }, { nodeName: "", hostName }]) {
        assert.deepEqual(await gateway.nodesByName(names), [node]);
      }
      assert.deepEqual(await gateway.nodesByName({ nodeName: "other", hostName }), []);
      assert.deepEqual(await gateway.nodesByName({ hostName: nodeName }), []);
      assert.deepEqual(await gateway.nodesByName({}), []);
      assert.deepEqual(await gateway.nodesByName({ hostName: "x".repeat(100_000) }), []);
    },
  ],
  [
    "finds all live nodes of a name and no silent one",
    async ({ reporter, openGateway, advance }) => {
      const nodes = [1, 2, 3].map((index) =>
        createTestNode({ bootId: testBootId(index), hostName: "localhost" }),
      );
      for (const one of nodes) await reporter.heartbeat(one);
      advance(suiteTimes.heartbeatTimeoutMs + 1);
      for (const one of nodes.slice(1)) await reporter.heartbeat(one);
      const gateway = await openGateway();
      const found = await gateway.nodesByName({ hostName: "localhost" });
      assert.deepEqual(found.map((one) => one.bootId).sort(), [testBootId(2), testBootId(3)]);
    },
  ],
  [
    "does not find a node by a name it no longer has",
    async ({ reporter, openGateway }) => {
      await reporter.heartbeat({ ...node, hostName: "before" });
      await reporter.heartbeat({ ...node, hostName: "after" });
      const gateway = await openGateway();
      assert.deepEqual(await gateway.nodesByName({ hostName: "before" }), []);
      const [found] = await gateway.nodesByName({ hostName: "after" });
      assert.equal(found?.bootId, bootId);
    },
  ],
  [
    "shows every node with its state",
    async ({ reporter }) => {
      const other = createTestNode({ bootId: testBootId(2), nodeName: undefined });
      await reporter.publish(node, { published: [createTestMapping(1020, 1)], vanished: [] });
      await reporter.heartbeat(other);
      const states = [...(await reporter.nodes())];
      states.sort((a, b) => b.mappingCount - a.mappingCount);
      assert.equal(states.length, 2);
      const [first, second] = states;
      assert.deepEqual(first?.node, node);
      assert.equal(first?.mappingCount, 1);
      assert.equal(first?.isAlive, true);
      assert.equal(first?.isConflicted, false);
      assert.ok(first.lastHeartbeatUnixMs > Date.UTC(2020, 0, 1));
      assert.equal(second?.node.bootId, testBootId(2));
      assert.equal(second?.mappingCount, 0);
    },
  ],
  [
    "gives every mapping of a node once, retained ones too",
    async ({ reporter }) => {
      const published = Array.from({ length: 900 }, (_, i) =>
        createTestMapping(1000 + 41 * i, i % 450),
      );
      await reporter.publish(node, { published, vanished: [] });
      await reporter.publish(node, { published: [], vanished: [{ inode: 1000 }] });
      const found: Mapping[] = [];
      for await (const mapping of reporter.mappings(bootId)) found.push(mapping);
      found.sort((a, b) => a.inode - b.inode);
      assert.deepEqual(found, published);
      for await (const _ of reporter.mappings(testBootId(404)))
        assert.fail("there is no such node");
      for await (const _ of reporter.mappings("no {boot} ID")) assert.fail("nor such a boot ID");
    },
  ],
  [
    "is available once it was started, and can be started and stopped twice",
    async ({ openGateway }) => {
      const gateway = await openGateway();
      await gateway.start();
      assert.deepEqual(gateway.availability, { isAvailable: true });
      await gateway.stop();
      await gateway.stop();
    },
  ],
];
