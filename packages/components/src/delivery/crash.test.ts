import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Batch } from "@inode-gateway/contract";
import { settle } from "@inode-gateway/testkit";
import { away, exporterSettings, rejected, spans, startExporter } from "./delivery.rig.js";
import { TestDisk } from "./test-disk.rig.js";

// Every batch has a number of items of its own, so that it can be told apart once it was merged.
const itemCounts = [1, 2, 4, 8, 16];
/** Refused for good by the destination, in every request it is in. */
const guilty = 4;

/** A moment at which the process ends: the n-th write or send, before or after it has its effect. */
interface Crash {
  readonly at: "write" | "send";
  readonly index: number;
  readonly isAfter: boolean;
}

/** Runs one process that crashes, then one that does not; tells what came of every batch. */
async function crashAndRestart(crash: Crash, batch: object | undefined) {
  const disk = new TestDisk();
  const delivered = new Set<number>();
  const acknowledged = new Set<number>();
  let isCrashed = false;
  let events = 0;
  const end = () => {
    isCrashed = true;
    disk.crash();
  };
  const isNow = (at: Crash["at"]) => !isCrashed && crash.at === at && events++ === crash.index;
  let tries = 0;
  const take = (request: Batch) => {
    const parts = request.mergedFrom.length > 0 ? request.mergedFrom : [request];
    if (parts.some(({ itemCount }) => itemCount === guilty)) return rejected;
    if (++tries % 3 === 0) return away;
    for (const { itemCount } of parts) delivered.add(itemCount);
    return undefined;
  };
  const settings = exporterSettings();
  // A write takes its time, in which a sender that is acknowledged too early is.
  disk.judge = async () => {
    await new Promise<void>((resolve) => {
      settings.clock.setTimer(1, resolve);
    });
    if (!isNow("write")) return "done";
    end();
    return crash.isAfter ? "done but unheard" : "lost";
  };
  const queue = { storage: "file_storage", num_consumers: 2, ...(batch ? { batch } : {}) };
  const first = await startExporter({
    host: disk.host(),
    settings,
    queue,
    retry: {},
    verdict: (request) => {
      if (isCrashed) return away;
      if (!isNow("send")) return take(request);
      if (crash.isAfter) take(request);
      end();
      return away;
    },
  });
  for (const itemCount of itemCounts) {
    const ending = await first.consume(spans(itemCount));
    const note = () => {
      if (ending.state === "resolved" && !isCrashed) acknowledged.add(itemCount);
    };
    note();
    await settings.clock.advanceAndSettle(1);
    note();
  }
  await settings.clock.advanceAndSettle(100_000);
  end();
  disk.judge = () => "done";
  const onDisk = disk.itemCounts.reduce((sum, itemCount) => sum + itemCount, 0);
  const second = await startExporter({
    host: disk.host(),
    queue,
    retry: {},
    verdict: take,
  });
  await second.settings.clock.advanceAndSettle(100_000);
  await settle();
  return { acknowledged, delivered, disk, second, onDisk };
}

suite("a crash of a queue on disk loses nothing that was acknowledged", () => {
  const moments = (["write", "send"] as const).flatMap((at) =>
    [false, true].flatMap((isAfter) =>
      Array.from({ length: 12 }, (_, index) => ({ at, index, isAfter })),
    ),
  );
  for (const batch of [undefined, { min_size: 7, max_size: 20 }]) {
    for (const crash of moments) {
      const moment = `${crash.isAfter ? "after" : "before"} ${crash.at} ${crash.index}`;
      test(`${moment}${batch === undefined ? "" : ", merging"}`, async () => {
        const { acknowledged, delivered, disk, onDisk, second } = await crashAndRestart(
          crash,
          batch,
        );
        for (const itemCount of acknowledged) {
          if (itemCount !== guilty) assert.ok(delivered.has(itemCount), `lost ${itemCount}`);
        }
        const { ledger } = second;
        assert.equal(ledger.recoveredItems, onDisk);
        assert.equal(ledger.recoveredItems, second.sum("sent") + ledger.droppedItems());
        assert.ok([0, guilty].includes(ledger.droppedItems("backend_rejected")));
        assert.equal(ledger.heldItems, 0);
        assert.equal(second.gauge("size"), 0);
        assert.deepEqual(disk.itemCounts, []);
      });
    }
  }
});
