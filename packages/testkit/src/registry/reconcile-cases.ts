import assert from "node:assert/strict";
import type { PublishedEvent } from "@inode-gateway/registry";
import { waitUntil } from "../wait-until.js";
import {
  createTestMapping,
  createTestNode,
  shortAnswers,
  suiteTimes,
  testContainerId,
} from "./registry-fixture.js";
import type { RegistryCase } from "./registry-suite.js";

const node = createTestNode();
const { bootId } = node;

/** A restarted reporter makes the store equal to what it sees. */
export const reconcileCases: readonly RegistryCase[] = [
  [
    "writes what is missing or different, marks what is gone, and leaves the rest",
    async ({ reporter, openGateway, advance }) => {
      const same = createTestMapping(1020, 1);
      const gone = createTestMapping(1061, 2);
      const back = createTestMapping(1102, 3);
      const described = createTestMapping(1143, 4);
      await reporter.publish(node, { published: [same, gone, back, described], vanished: [] });
      await reporter.publish(node, { published: [], vanished: [{ inode: 1102 }] });
      const renamed = createTestMapping(1143, 4, { attributes: { "k8s.pod.name": "web-0" } });
      const fresh = createTestMapping(1184, 5);
      const wanted = [same, back, renamed, fresh];
      assert.deepEqual(await reporter.reconcile(node, wanted), {
        published: 3,
        vanished: 1,
        unchanged: 1,
      });
      assert.deepEqual(await reporter.reconcile(node, wanted), {
        published: 0,
        vanished: 0,
        unchanged: 4,
      });
      const gateway = await openGateway();
      const keys = [1020, 1061, 1102, 1143, 1184].map((inode) => ({ bootId, inode }));
      assert.deepEqual(
        shortAnswers(await gateway.lookup(keys)),
        [1, 2, 3, 4, 5].map(testContainerId),
        "what vanished is retained",
      );
      advance(suiteTimes.retentionMs);
      await reporter.heartbeat(node);
      const later = await openGateway();
      assert.deepEqual(shortAnswers(await later.lookup(keys)), [
        testContainerId(1),
        "unknown_inode",
        testContainerId(3),
        testContainerId(4),
        testContainerId(5),
      ]);
    },
  ],
  [
    "makes a node that was never there",
    async ({ reporter }) => {
      let asked = 0;
      reporter.onReconnected(() => asked++);
      const wanted = Array.from({ length: 1_000 }, (_, i) => createTestMapping(1000 + 33 * i, i));
      assert.deepEqual(await reporter.reconcile(node, wanted), {
        published: 1_000,
        vanished: 0,
        unchanged: 0,
      });
      assert.equal((await reporter.nodes())[0]?.mappingCount, 1_000);
      assert.equal(asked, 0);
    },
  ],
  [
    "with nothing to write it tells nobody",
    async ({ reporter, openGateway }) => {
      const gateway = await openGateway();
      const events: PublishedEvent[] = [];
      gateway.onPublished((event) => events.push(event));
      await reporter.reconcile(node, [createTestMapping(1020, 1)]);
      await reporter.reconcile(node, [createTestMapping(1020, 1)]);
      await reporter.publish(node, { published: [createTestMapping(2000, 2)], vanished: [] });
      await waitUntil(() => events.some(({ keys }) => keys?.[0]?.inode === 2000));
      assert.deepEqual(events, [
        { bootId, keys: [{ inode: 1020 }] },
        { bootId, keys: [{ inode: 2000 }] },
      ]);
    },
  ],
  [
    "the same inode twice in a list counts once, the last one",
    async ({ reporter, openGateway }) => {
      const twice = [createTestMapping(1020, 1), createTestMapping(1020, 2)];
      assert.equal((await reporter.reconcile(node, twice)).published, 1);
      const gateway = await openGateway();
      assert.deepEqual(shortAnswers(await gateway.lookup([{ bootId, inode: 1020 }])), [
        testContainerId(2),
      ]);
    },
  ],
];
