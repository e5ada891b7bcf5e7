import assert from "node:assert/strict";
import type { PublishedEvent } from "@inode-gateway/registry";
import { waitUntil } from "../wait-until.js";
import {
  createTestMapping,
  createTestNode,
  shortAnswers,
  testContainerId,
} from "./registry-fixture.js";
import type { RegistryCase } from "./registry-suite.js";

const node = createTestNode();
const { bootId } = node;

/** Whoever waits for a mapping is told. */
export const eventCases: readonly RegistryCase[] = [
  [
    "tells which inodes were published, once per change",
    async ({ reporter, openGateway }) => {
      const gateway = await openGateway();
      const events: PublishedEvent[] = [];
      gateway.onPublished((event) => events.push(event));
      await gateway.lookup([{ bootId, inode: 1 }]);
      const published = [createTestMapping(1020, 1), createTestMapping(1061, 2)];
      await reporter.publish(node, { published, vanished: [] });
      await reporter.publish(node, { published, vanished: [] });
      await reporter.publish(node, { published: [], vanished: [{ inode: 1020 }] });
      await reporter.publish(node, { published: [createTestMapping(1102, 3)], vanished: [] });
      await waitUntil(() => events.length >= 2, { description: "two publications" });
      assert.deepEqual(events, [
        { bootId, keys: [{ inode: 1020 }, { inode: 1061 }] },
        { bootId, keys: [{ inode: 1102 }] },
      ]);
    },
  ],
  [
    "names devices where the node has several",
    async ({ reporter, openGateway }) => {
      const hybrid = createTestNode({ hierarchy: "v1", devices: [32, 33] });
      const gateway = await openGateway();
      const events: PublishedEvent[] = [];
      gateway.onPublished((event) => events.push(event));
      const published = [createTestMapping(41, 1, { device: 33 })];
      await reporter.publish(hybrid, { published, vanished: [] });
      await waitUntil(() => events.length > 0, { description: "a publication" });
      assert.deepEqual(events, [{ bootId, keys: [{ inode: 41, device: 33 }] }]);
    },
  ],
  [
    "lists 64 keys and leaves them out when there are 65",
    async ({ reporter, openGateway }) => {
      const gateway = await openGateway();
      const events: PublishedEvent[] = [];
      gateway.onPublished((event) => events.push(event));
      const mappings = Array.from({ length: 129 }, (_, i) => createTestMapping(1000 + 19 * i, i));
      await reporter.publish(node, { published: mappings.slice(0, 64), vanished: [] });
      await reporter.publish(node, { published: mappings.slice(64), vanished: [] });
      await waitUntil(() => events.length >= 2, { description: "two publications" });
      assert.equal(events[0]?.keys?.length, 64);
      assert.deepEqual(events[1], { bootId, keys: undefined });
    },
  ],
  [
    "a new record that concerns other directories of its container names no keys",
    async ({ reporter, openGateway }) => {
      const gateway = await openGateway();
      const events: PublishedEvent[] = [];
      gateway.onPublished((event) => events.push(event));
      const published = [createTestMapping(1020, 1), createTestMapping(1061, 1)];
      await reporter.publish(node, { published, vanished: [] });
      const keys = [1020, 1061].map((inode) => ({ bootId, inode }));
      await gateway.lookup(keys);
      const changed = createTestMapping(1061, 1, { attributes: { "k8s.pod.name": "web-0" } });
      await reporter.publish(node, { published: [changed], vanished: [] });
      await waitUntil(() => events.length >= 2, { description: "two publications" });
      assert.deepEqual(events, [
        { bootId, keys: [{ inode: 1020 }, { inode: 1061 }] },
        { bootId, keys: undefined },
      ]);
      for (const answer of await gateway.lookup(keys)) {
        assert.deepEqual(answer.outcome === "found" && answer.record, changed.record);
      }
    },
  ],
  [
    "an ended subscription hears nothing, one whose neighbour throws still does",
    async ({ reporter, openGateway }) => {
      const gateway = await openGateway();
      let heard = 0;
      const end = gateway.onPublished(() => assert.fail("it was ended"));
      gateway.onPublished(() => {
        throw new Error("a listener's own fault");
      });
      gateway.onPublished(() => heard++);
      end();
      end();
      await reporter.publish(node, { published: [createTestMapping(1020, 1)], vanished: [] });
      await waitUntil(() => heard === 1, { description: "a publication" });
    },
  ],
  [
    "whoever asks again when told gets the answer",
    async ({ reporter, openGateway }) => {
      const gateway = await openGateway();
      await reporter.heartbeat(node);
      const key = { bootId, inode: 1020 };
      const asked: Promise<string[]>[] = [];
      gateway.onPublished(() => asked.push(gateway.lookup([key]).then(shortAnswers)));
      const early = gateway.lookup([key]);
      await reporter.publish(node, { published: [createTestMapping(1020, 1)], vanished: [] });
      await early;
      await waitUntil(() => asked.length > 0, { description: "a publication" });
      assert.deepEqual(await asked[0], [testContainerId(1)]);
      const changed = createTestMapping(1020, 1, { attributes: { "k8s.pod.name": "web-0" } });
      await reporter.publish(node, { published: [changed], vanished: [] });
      await waitUntil(
        async () => {
          const [answer] = await gateway.lookup([key]);
          return answer?.outcome === "found" && "k8s.pod.name" in answer.record.attributes;
        },
        { description: "the changed record" },
      );
    },
  ],
];
