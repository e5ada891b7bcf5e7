import assert from "node:assert/strict";
import { test } from "node:test";
import type { Batch } from "@inode-gateway/contract";
import { seededRandom } from "@inode-gateway/testkit";
import {
  away,
  exporterSettings,
  outcomeOf,
  rejected,
  spans,
  spansOf,
  startExporter,
  tooLarge,
} from "./delivery.rig.js";
import { TestDisk } from "./test-disk.rig.js";

const RUNS = 200;

type Random = (max: number) => number;

/** Some configuration of a queue, the common ones more often. */
function someQueue(random: Random, isOnDisk: boolean) {
  const batch = {
    min_size: random(2) * random(40),
    max_size: random(2) * (40 + random(20)),
    sizer: "items" as const,
    partition: { metadata_keys: random(2) === 0 ? [] : ["x-tenant"] },
  };
  return {
    num_consumers: 1 + random(3),
    queue_size: 5 + random(20),
    sizer: "requests" as const,
    block_on_overflow: random(4) === 0,
    wait_for_result: !isOnDisk && random(2) === 0,
    ...(random(3) > 0 ? { batch } : {}),
    ...(isOnDisk ? { storage: "file_storage" } : {}),
  };
}

/** One process that takes batches of many senders, and is stopped in the middle of it. */
async function runProcess(random: Random, disk: TestDisk | undefined, isLast: boolean) {
  const settings = exporterSettings();
  const answers = [undefined, undefined, undefined, away, rejected, tooLarge];
  const partial = { rejectedItems: 1, errorMessage: "one" };
  const verdict = (batch: Batch) => {
    if (isLast) return undefined;
    if (batch.itemCount > 0 && random(12) === 0) return partial;
    return answers[random(answers.length)];
  };
  const queue = someQueue(random, disk !== undefined);
  const rig = await startExporter({
    settings,
    verdict,
    queue,
    ...(random(2) === 0 ? { retry: { max_elapsed_time: "20s" } } : {}),
    ...(disk === undefined ? {} : { host: disk.host() }),
  });
  const endings = [];
  for (let index = 0; index < 40; index++) {
    const itemCount = 1 + random(30);
    const isTenant = random(2) === 0;
    const batch = isTenant ? spansOf(`t${random(3)}`, itemCount) : spans(itemCount);
    endings.push({ itemCount, ending: await outcomeOf(rig.exporter.consume(batch)) });
    if (random(3) === 0) await settings.clock.advanceAndSettle(random(4_000));
  }
  if (isLast) await settings.clock.advanceAndSettle(100_000);
  const stopping = await outcomeOf(rig.exporter.shutdown(settings.clock.nowMs() + 5_000));
  await settings.clock.advanceAndSettle(7_000);
  assert.equal(stopping.state, "resolved");
  let accepted = 0;
  for (const { ending, itemCount } of endings) {
    assert.notEqual(ending.state, "waiting", "everybody is told something");
    if (ending.state === "resolved") accepted += itemCount;
  }
  assert.equal(settings.backgroundFailures.length, 0);
  assert.equal(rig.ledger.heldItems, 0);
  assert.equal(rig.gauge("size"), 0);
  assert.equal(settings.clock.pendingTimers, 0);
  const isWaiting = queue.wait_for_result;
  return { accepted, isWaiting, ledger: rig.ledger, sent: rig.sum("sent") };
}

test(`what is accepted is delivered, dropped or left on disk, ${RUNS} schedules`, async () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const next = seededRandom(seed);
    const random: Random = (max) => Math.floor(next() * max);
    try {
      const disk = seed % 2 === 0 ? new TestDisk() : undefined;
      const { accepted, isWaiting, ledger, sent } = await runProcess(random, disk, false);
      const known = ledger.droppedItems() + ledger.persistedItems;
      // A part may have been delivered of what a sender was told to send again, or the disk keeps.
      assert.ok(sent >= accepted - known, `sent ${sent} of ${accepted}, ${known} known`);
      if (!isWaiting && disk === undefined) assert.equal(sent, accepted - known);
      if (disk === undefined) {
        assert.equal(ledger.persistedItems, 0);
        continue;
      }
      const onDisk = disk.itemCounts.reduce((sum, itemCount) => sum + itemCount, 0);
      assert.equal(onDisk, ledger.persistedItems);
      const after = await runProcess(random, disk, true);
      assert.equal(after.ledger.recoveredItems, onDisk);
      assert.equal(after.sent, onDisk + after.accepted);
      assert.deepEqual(disk.itemCounts, []);
    } catch (error) {
      throw new Error(`seed ${seed} fails`, { cause: error });
    }
  }
});
