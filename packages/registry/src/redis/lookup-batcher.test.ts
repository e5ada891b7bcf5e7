import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, settle, testBootId } from "@inode-gateway/testkit";
import type { InodeKey, LookupAnswer } from "../container-registry.js";
import {
  collectMs,
  keysPerRoundTrip,
  LookupBatcher,
  LookupRequest,
  pendingKeysMax,
} from "./lookup-batcher.js";

const bootId = testBootId(1);
const miss: LookupAnswer = { outcome: "unknown_inode" };

/** A store that answers when the test says so. */
function createBatcher() {
  const clock = new FakeClock();
  const asked: { keys: readonly InodeKey[]; answer: (answers: LookupAnswer[]) => void }[] = [];
  const remembered: number[] = [];
  const batcher = new LookupBatcher({
    clock,
    ask: (keys) => new Promise((answer) => asked.push({ keys, answer })),
    remember: ({ inode }) => remembered.push(inode),
  });
  const lookup = (...keys: InodeKey[]) => {
    const request = new LookupRequest(keys.length);
    for (const [index, key] of keys.entries()) batcher.add(key, request, index);
    return request.answers;
  };
  return { clock, asked, remembered, batcher, lookup };
}

test("asks together for what came within a millisecond, and for nothing twice", async () => {
  const { clock, asked, remembered, lookup } = createBatcher();
  const first = lookup({ bootId, inode: 10 }, { bootId, inode: 11 }, { bootId, inode: 10 });
  const second = lookup({ bootId, inode: 11 }, { bootId, inode: 11, device: 38 });
  clock.advance(collectMs - 0.5);
  assert.equal(asked.length, 0);
  clock.advance(0.5);
  const late = lookup({ bootId, inode: 10 });
  assert.deepEqual(
    asked.map(({ keys }) => keys.map(({ inode, device }) => [inode, device])),
    [
      [
        [10, undefined],
        [11, undefined],
        [11, 38],
      ],
    ],
  );
  asked[0]?.answer([{ outcome: "ambiguous" }, miss, { outcome: "stale_node" }]);
  assert.deepEqual(await first, [{ outcome: "ambiguous" }, miss, { outcome: "ambiguous" }]);
  assert.deepEqual(await second, [miss, { outcome: "stale_node" }]);
  assert.deepEqual(await late, [{ outcome: "ambiguous" }], "it joined what was on its way");
  assert.deepEqual(remembered, [10, 11, 11]);
});

test("does not wait any longer once a round trip is full", () => {
  const { asked, lookup } = createBatcher();
  const keys = Array.from({ length: keysPerRoundTrip }, (_, i) => ({ bootId, inode: 100 + i }));
  void lookup(...keys.slice(1));
  assert.equal(asked.length, 0);
  void lookup(...keys.slice(0, 1));
  assert.equal(asked.length, 1);
  assert.equal(asked[0]?.keys.length, keysPerRoundTrip);
});

test("takes as many keys as may wait and answers one more at once", async () => {
  const { asked, lookup } = createBatcher();
  const keys = Array.from({ length: pendingKeysMax }, (_, i) => ({ bootId, inode: 100 + i }));
  const all = lookup(...keys);
  assert.deepEqual(await lookup({ bootId, inode: 7 }), [{ outcome: "unavailable" }]);
  for (const { keys: some, answer } of asked) answer(some.map(() => miss));
  assert.equal(
    (await all).filter(({ outcome }) => outcome === "unknown_inode").length,
    pendingKeysMax,
  );
  void lookup({ bootId, inode: 7 });
  assert.equal(asked.length, pendingKeysMax / keysPerRoundTrip, "there is room again");
});

// Scenario: a mapping is published while the question for it is on its way, and was answered before.
test("asks anew for what was published meanwhile, and does not remember the older answer", async () => {
  const { clock, asked, remembered, batcher, lookup } = createBatcher();
  const before = lookup({ bootId, inode: 10, device: 38 });
  clock.advance(collectMs);
  batcher.outdateInode(bootId, 10);
  const after = lookup({ bootId, inode: 10, device: 38 });
  clock.advance(collectMs);
  assert.equal(asked.length, 2);
  const found = { containerId: "c", attributes: {} };
  asked[1]?.answer([{ outcome: "found", bootId, record: found }]);
  asked[0]?.answer([miss]);
  assert.deepEqual(await before, [miss]);
  assert.equal((await after)[0]?.outcome, "found");
  assert.deepEqual(remembered, [10], "only the younger");
});

test("what is only collected needs no second question", async () => {
  const { clock, asked, remembered, batcher, lookup } = createBatcher();
  const answers = lookup({ bootId, inode: 10 }, { bootId: testBootId(2), inode: 10 });
  batcher.outdateNode(bootId);
  clock.advance(collectMs);
  batcher.outdateNode(testBootId(2));
  asked[0]?.answer([miss, miss]);
  await answers;
  assert.deepEqual(remembered, [10]);
});

test("answers `unavailable` for what the store did not answer", async () => {
  const clock = new FakeClock();
  const batcher = new LookupBatcher({
    clock,
    ask: () => Promise.reject(new Error("a fault of ours")),
    remember: () => {},
  });
  const request = new LookupRequest(1);
  batcher.add({ bootId, inode: 10 }, request, 0);
  clock.advance(collectMs);
  await settle();
  assert.deepEqual(await request.answers, [{ outcome: "unavailable" }]);
});
