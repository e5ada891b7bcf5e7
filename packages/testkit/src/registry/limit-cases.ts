import assert from "node:assert/strict";
import { type ContainerRegistry, registryLimits } from "@inode-gateway/registry";
import { createTestMapping, createTestNode, shortAnswers } from "./registry-fixture.js";
import type { RegistryCase } from "./registry-suite.js";

const node = createTestNode();
const { bootId } = node;

/** The last accepted and the first rejected value of everything that has a limit. */
export const limitCases: readonly RegistryCase[] = [
  [
    "accepts inodes from 3 to 2^53 - 1 and answers all others without a container",
    async ({ reporter, openGateway }) => {
      const ends = [3, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER];
      const published = ends.map((inode, index) => createTestMapping(inode, index));
      await reporter.publish(node, { published, vanished: [] });
      const gateway = await openGateway();
      const keys = ends.map((inode) => ({ bootId, inode }));
      assert.deepEqual(
        shortAnswers(await gateway.lookup(keys)),
        published.map(({ record }) => record.containerId),
      );
      for (const inode of [2, 0, -1, 1020.5, 2 ** 53, Number.NaN]) {
        const message = `inode ${inode} is not an integer from 3 to 2^53 - 1`;
        await rejectsPublishing(reporter, inode, message);
        assert.deepEqual(await gateway.lookup([{ bootId, inode }]), [{ outcome: "unknown_inode" }]);
      }
    },
  ],
  [
    "refuses a device that the node does not declare, and on v1 a mapping without one",
    async ({ reporter }) => {
      const hybrid = createTestNode({ hierarchy: "hybrid", devices: [38, 32] });
      const publish = (one: typeof node, device?: number) =>
        reporter.publish(one, {
          published: [createTestMapping(1020, 1, device === undefined ? {} : { device })],
          vanished: [],
        });
      await assert.rejects(publish(node, 32), {
        name: "RangeError",
        message: `inode 1020 is on device 32, but node ${bootId} is pure v2 and declares 38`,
      });
      await assert.rejects(publish(hybrid), {
        name: "RangeError",
        message: `inode 1020 has no device, which node ${bootId} (hybrid) needs`,
      });
      await assert.rejects(publish(hybrid, 39), {
        name: "RangeError",
        message: `inode 1020 is on device 39, which node ${bootId} does not declare`,
      });
      await publish(hybrid, 32);
    },
  ],
  [
    "accepts container IDs of 1 to 255 characters",
    async ({ reporter, openGateway }) => {
      const withId = (containerId: string) => ({
        published: [{ inode: 1020, record: { containerId, attributes: {} } }],
        vanished: [],
      });
      const longest = "x".repeat(registryLimits.containerIdLength);
      await reporter.publish(node, withId(longest));
      const gateway = await openGateway();
      assert.deepEqual(shortAnswers(await gateway.lookup([{ bootId, inode: 1020 }])), [longest]);
      for (const length of [0, 256]) {
        await assert.rejects(reporter.publish(node, withId("x".repeat(length))), {
          name: "RangeError",
          message: `container ID of inode 1020 has ${length} characters, the limit is 1 to 255`,
        });
      }
    },
  ],
  [
    "accepts boot IDs of 1 to 64 harmless characters and knows no others",
    async ({ reporter, openGateway }) => {
      const longest = "b".repeat(64);
      const named = createTestNode({ bootId: longest });
      await reporter.publish(named, { published: [createTestMapping(1020, 1)], vanished: [] });
      const gateway = await openGateway();
      const [answer] = await gateway.lookup([{ bootId: longest, inode: 1020 }]);
      assert.equal(answer?.outcome, "found");
      for (const wrong of ["", `${longest}b`, "a}b", "a b", "ä"]) {
        const renamed = createTestNode({ bootId: wrong });
        await assert.rejects(reporter.heartbeat(renamed), { name: "RangeError" });
        assert.deepEqual(await gateway.lookup([{ bootId: wrong, inode: 1020 }]), [
          { outcome: "unknown_node" },
        ]);
      }
    },
  ],
  [
    "leaves out attributes beyond the limits and keeps the container",
    async ({ reporter, openGateway }) => {
      const fits = "v".repeat(registryLimits.attributeValueLength);
      const attributes = { a: fits, b: `${fits}v`, boot_id: "reserved", "": "nameless", c: 1 };
      const mapping = createTestMapping(1020, 1, { attributes });
      const many: Record<string, number> = {};
      for (let i = 100; i < 100 + registryLimits.attributesPerContainer + 1; i++) many[`n${i}`] = i;
      const second = createTestMapping(1061, 2, { attributes: many });
      await reporter.publish(node, { published: [mapping, second], vanished: [] });
      const gateway = await openGateway();
      const [first, last] = await gateway.lookup([1020, 1061].map((inode) => ({ bootId, inode })));
      assert.deepEqual(first?.outcome === "found" && first.record.attributes, { a: fits, c: 1 });
      assert.ok(last?.outcome === "found");
      assert.equal(Object.keys(last.record.attributes).length, 64);
      assert.equal(last.record.attributes["n163"], 163);
      assert.equal(last.record.attributes["n164"], undefined);
    },
  ],
  [
    "carries any text in IDs and attributes unchanged",
    async ({ reporter, openGateway }) => {
      const attributes = { "k8s.pod.name": 'a"b\\c\n\u0000\u2028 ü 日本 {x} %s', n: -1.5e300 };
      const record = { containerId: "odd id {}*! 1 2", attributes };
      await reporter.publish(node, { published: [{ inode: 1020, record }], vanished: [] });
      const gateway = await openGateway();
      assert.deepEqual(await gateway.lookup([{ bootId, inode: 1020 }]), [
        { outcome: "found", bootId, record },
      ]);
    },
  ],
];

async function rejectsPublishing(
  reporter: ContainerRegistry,
  inode: number,
  message: string,
): Promise<void> {
  const error = { name: "RangeError", message };
  const published = [createTestMapping(inode, 1)];
  await assert.rejects(reporter.publish(node, { published, vanished: [] }), error);
  await assert.rejects(reporter.publish(node, { published: [], vanished: [{ inode }] }), error);
  await assert.rejects(reporter.reconcile(node, published), error);
}
