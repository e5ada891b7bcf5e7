import assert from "node:assert/strict";
import {
  createTestMapping,
  createTestNode,
  shortAnswers,
  testBootId,
  testContainerId,
} from "./registry-fixture.js";
import type { RegistryCase } from "./registry-suite.js";

const node = createTestNode();
const { bootId } = node;
const hybrid = createTestNode({ hierarchy: "hybrid", devices: [38, 32, 33] });

/** Publishing and asking. */
export const lookupCases: readonly RegistryCase[] = [
  [
    "answers every key with its container, in the order of the keys",
    async ({ reporter, openGateway }) => {
      const attributes = { "k8s.pod.uid": "5449328a", "k8s.container.restart_count": 2 };
      const published = [createTestMapping(1020, 1, { attributes }), createTestMapping(1061, 2)];
      await reporter.publish(node, { published, vanished: [] });
      const gateway = await openGateway();
      const answers = await gateway.lookup([
        { bootId, inode: 1061 },
        { bootId, inode: 9999 },
        { bootId, inode: 1020 },
        { bootId: testBootId(404), inode: 1020 },
        { bootId, inode: 1061 },
      ]);
      const [second, , first] = answers;
      assert.deepEqual(first, {
        outcome: "found",
        bootId,
        record: { containerId: testContainerId(1), attributes },
      });
      assert.equal(second?.outcome, "found");
      assert.deepEqual(
        answers.map(({ outcome }) => outcome),
        ["found", "unknown_inode", "found", "unknown_node", "found"],
      );
      assert.deepEqual(await gateway.lookup([]), []);
    },
  ],
  [
    "asks many nodes for many keys at once",
    async ({ reporter, openGateway }) => {
      const nodes = [1, 2, 3].map((index) =>
        createTestNode({ bootId: testBootId(index), nodeName: `node-${index}` }),
      );
      const mappings = Array.from({ length: 400 }, (_, i) => createTestMapping(1000 + 41 * i, i));
      for (const one of nodes) await reporter.publish(one, { published: mappings, vanished: [] });
      const gateway = await openGateway();
      const keys = mappings.flatMap(({ inode }) =>
        nodes.map((one) => ({ bootId: one.bootId, inode })),
      );
      const expected = mappings.flatMap(({ record }) => nodes.map(() => record.containerId));
      assert.deepEqual(shortAnswers(await gateway.lookup(keys)), expected);
    },
  ],
  [
    "keeps inodes of different nodes apart",
    async ({ reporter, openGateway }) => {
      const other = createTestNode({ bootId: testBootId(2), nodeName: "node-2" });
      await reporter.publish(node, { published: [createTestMapping(1379, 1)], vanished: [] });
      await reporter.publish(other, { published: [createTestMapping(1379, 2)], vanished: [] });
      const gateway = await openGateway();
      const keys = [node, other].map((one) => ({ bootId: one.bootId, inode: 1379 }));
      assert.deepEqual(shortAnswers(await gateway.lookup(keys)), [
        testContainerId(1),
        testContainerId(2),
      ]);
    },
  ],
  [
    "answers a positive answer again from the cache, and only such a one",
    async ({ reporter, openGateway }) => {
      await reporter.publish(node, { published: [createTestMapping(1020, 1)], vanished: [] });
      const gateway = await openGateway();
      await gateway.lookup([
        { bootId, inode: 1020 },
        { bootId, inode: 1021 },
      ]);
      assert.equal(gateway.cached({ bootId, inode: 1020 })?.containerId, testContainerId(1));
      assert.equal(gateway.cached({ bootId, inode: 1021 }), undefined);
      assert.equal(gateway.cached({ bootId, inode: 1020.5 }), undefined);
      assert.equal(gateway.cached({ bootId: testBootId(9), inode: 1020 }), undefined);
    },
  ],
  [
    "on a pure v2 node a device may be left out, and must be the node's when it is there",
    async ({ reporter, openGateway }) => {
      const published = [createTestMapping(1020, 1), createTestMapping(1061, 2, { device: 38 })];
      await reporter.publish(node, { published, vanished: [] });
      const gateway = await openGateway();
      const keys = [
        { bootId, inode: 1020 },
        { bootId, inode: 1020, device: 38 },
        { bootId, inode: 1020, device: 32 },
        { bootId, inode: 1061 },
      ];
      assert.deepEqual(shortAnswers(await gateway.lookup(keys)), [
        testContainerId(1),
        testContainerId(1),
        "unknown_inode",
        testContainerId(2),
      ]);
    },
  ],
  [
    "on a hybrid node a key without device answers when only one container fits",
    async ({ reporter, openGateway }) => {
      const published = [
        createTestMapping(41, 1, { device: 38 }),
        createTestMapping(41, 2, { device: 32 }),
        createTestMapping(42, 1, { device: 38 }),
        createTestMapping(43, 3, { device: 32 }),
        createTestMapping(43, 3, { device: 33 }),
      ];
      await reporter.publish(hybrid, { published, vanished: [] });
      const gateway = await openGateway();
      const keys = [
        { bootId, inode: 41 },
        { bootId, inode: 41, device: 38 },
        { bootId, inode: 41, device: 32 },
        { bootId, inode: 41, device: 33 },
        { bootId, inode: 42 },
        { bootId, inode: 43 },
        { bootId, inode: 44 },
      ];
      assert.deepEqual(shortAnswers(await gateway.lookup(keys)), [
        "ambiguous",
        testContainerId(1),
        testContainerId(2),
        "unknown_inode",
        testContainerId(1),
        testContainerId(3),
        "unknown_inode",
      ]);
    },
  ],
  [
    "a newer container under the same inode wins",
    async ({ reporter, openGateway }) => {
      await reporter.publish(node, { published: [createTestMapping(1020, 1)], vanished: [] });
      await reporter.publish(node, { published: [createTestMapping(1020, 2)], vanished: [] });
      const gateway = await openGateway();
      assert.deepEqual(shortAnswers(await gateway.lookup([{ bootId, inode: 1020 }])), [
        testContainerId(2),
      ]);
      assert.equal((await reporter.nodes())[0]?.mappingCount, 1);
    },
  ],
  [
    "all directories of a container share one record, and it changes for all of them",
    async ({ reporter, openGateway }) => {
      const published = [createTestMapping(1020, 1), createTestMapping(1061, 1)];
      await reporter.publish(node, { published, vanished: [] });
      const attributes = { "k8s.pod.name": "web-0" };
      const changed = createTestMapping(1061, 1, { attributes });
      await reporter.publish(node, { published: [changed], vanished: [] });
      const gateway = await openGateway();
      const keys = [1020, 1061].map((inode) => ({ bootId, inode }));
      for (const answer of await gateway.lookup(keys)) {
        assert.deepEqual(answer.outcome === "found" && answer.record.attributes, attributes);
      }
    },
  ],
  [
    "publishing the same twice changes nothing",
    async ({ reporter, openGateway }) => {
      const changes = { published: [createTestMapping(1020, 1)], vanished: [{ inode: 7777 }] };
      await reporter.publish(node, changes);
      await reporter.publish(node, changes);
      const gateway = await openGateway();
      assert.deepEqual(shortAnswers(await gateway.lookup([{ bootId, inode: 1020 }])), [
        testContainerId(1),
      ]);
      assert.equal((await reporter.nodes())[0]?.mappingCount, 1);
    },
  ],
];
