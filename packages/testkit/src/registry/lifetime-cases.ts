import assert from "node:assert/strict";
import {
  createTestMapping,
  createTestNode,
  type RegistryFixture,
  shortAnswers,
  suiteTimes,
  testContainerId,
} from "./registry-fixture.js";
import type { RegistryCase } from "./registry-suite.js";

const node = createTestNode();
const { bootId } = node;
const one = createTestMapping(1020, 1);

async function ask(fixture: RegistryFixture, inode: number): Promise<string | undefined> {
  const gateway = await fixture.openGateway();
  return shortAnswers(await gateway.lookup([{ bootId, inode }]))[0];
}

/** How long what is remembered. */
export const lifetimeCases: readonly RegistryCase[] = [
  [
    "a vanished container resolves for its retention, then the next heartbeat forgets it",
    async (fixture) => {
      const { reporter } = fixture;
      await reporter.publish(node, { published: [one], vanished: [] });
      await reporter.publish(node, { published: [], vanished: [{ inode: 1020 }] });
      fixture.advance(suiteTimes.retentionMs - 1);
      await reporter.heartbeat(node);
      assert.equal(await ask(fixture, 1020), testContainerId(1));
      fixture.advance(1);
      await reporter.heartbeat(node);
      assert.equal(await ask(fixture, 1020), "unknown_inode");
      assert.equal((await reporter.nodes())[0]?.mappingCount, 0);
    },
  ],
  [
    "saying again that a container vanished does not prolong its life",
    async (fixture) => {
      const { reporter } = fixture;
      const vanished = { published: [], vanished: [{ inode: 1020 }] };
      await reporter.publish(node, { published: [one], vanished: [] });
      await reporter.publish(node, vanished);
      fixture.advance(suiteTimes.retentionMs - 1);
      await reporter.publish(node, vanished);
      fixture.advance(1);
      await reporter.heartbeat(node);
      assert.equal(await ask(fixture, 1020), "unknown_inode");
    },
  ],
  [
    "a container that is published again has not vanished",
    async (fixture) => {
      const { reporter } = fixture;
      await reporter.publish(node, { published: [one], vanished: [] });
      await reporter.publish(node, { published: [], vanished: [{ inode: 1020 }] });
      await reporter.publish(node, { published: [one], vanished: [] });
      fixture.advance(suiteTimes.retentionMs * 2);
      await reporter.heartbeat(node);
      assert.equal(await ask(fixture, 1020), testContainerId(1));
    },
  ],
  [
    "one heartbeat forgets as many as have vanished",
    async (fixture) => {
      const { reporter } = fixture;
      const published = Array.from({ length: 700 }, (_, i) => createTestMapping(1000 + 19 * i, i));
      await reporter.publish(node, { published, vanished: [] });
      const vanished = published.slice(1).map(({ inode }) => ({ inode }));
      await reporter.publish(node, { published: [], vanished });
      fixture.advance(suiteTimes.retentionMs);
      await reporter.heartbeat(node);
      assert.equal((await reporter.nodes())[0]?.mappingCount, 1);
      assert.equal(await ask(fixture, 1000), testContainerId(0));
      assert.equal(await ask(fixture, 1019), "unknown_inode");
    },
  ],
  [
    "a container's record stays until its last directory is forgotten",
    async (fixture) => {
      const { reporter } = fixture;
      const attributes = { "k8s.pod.name": "web-0" };
      const first = createTestMapping(1020, 1, { attributes });
      const second = createTestMapping(1061, 1, { attributes });
      await reporter.publish(node, { published: [first, second], vanished: [] });
      await reporter.publish(node, { published: [], vanished: [{ inode: 1020 }] });
      fixture.advance(suiteTimes.retentionMs);
      await reporter.heartbeat(node);
      const gateway = await fixture.openGateway();
      assert.deepEqual(await gateway.lookup([{ bootId, inode: 1061 }]), [
        { outcome: "found", bootId, record: second.record },
      ]);
    },
  ],
  [
    "a node without heartbeat is stale after the timeout, and what it had still resolves",
    async (fixture) => {
      const { reporter } = fixture;
      await reporter.publish(node, { published: [one], vanished: [] });
      fixture.advance(suiteTimes.heartbeatTimeoutMs);
      assert.equal(await ask(fixture, 7777), "unknown_inode");
      assert.equal((await reporter.nodes())[0]?.isAlive, true);
      fixture.advance(1);
      assert.equal(await ask(fixture, 7777), "stale_node");
      assert.equal(await ask(fixture, 1020), testContainerId(1));
      assert.equal((await reporter.nodes())[0]?.isAlive, false);
      await reporter.heartbeat(node);
      assert.equal(await ask(fixture, 7777), "unknown_inode");
    },
  ],
  [
    "a silent node is forgotten after its retention",
    async (fixture) => {
      const { reporter } = fixture;
      await reporter.publish(node, { published: [one], vanished: [] });
      fixture.advance(suiteTimes.nodeRetentionMs);
      assert.equal(await ask(fixture, 1020), testContainerId(1));
      assert.equal((await reporter.nodes()).length, 1);
      fixture.advance(1);
      assert.equal(await ask(fixture, 1020), "unknown_node");
      assert.deepEqual(await reporter.nodes(), []);
    },
  ],
  [
    "a reporter whose node was forgotten is asked to reconcile",
    async (fixture) => {
      const { reporter } = fixture;
      let asked = 0;
      reporter.onReconnected(() => asked++);
      await reporter.reconcile(node, [one]);
      await reporter.heartbeat(node);
      assert.equal(asked, 0);
      fixture.advance(suiteTimes.nodeRetentionMs + 1);
      await reporter.heartbeat(node);
      assert.equal(asked, 1);
      assert.equal(await ask(fixture, 1020), "unknown_inode");
      await reporter.reconcile(node, [one]);
      assert.equal(await ask(fixture, 1020), testContainerId(1));
      assert.equal(asked, 1);
    },
  ],
];
