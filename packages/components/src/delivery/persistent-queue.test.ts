import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Batch, RetryableError } from "@inode-gateway/contract";
import { createTestOrigin, settle, TestHost } from "@inode-gateway/testkit";
import type { QueueStorage } from "../capabilities/queue-storage.js";
import { sendingQueue } from "./config.js";
import { DeliveringExporter } from "./delivering-exporter.js";
import {
  away,
  exporterSettings,
  outcomeOf,
  type RigOptions,
  rejected,
  spans,
  spansOf,
  startExporter,
} from "./delivery.rig.js";
import type { Sender } from "./delivery-step.js";
import { RESIDENT_BYTES_MAX } from "./persistent-backlog.js";
import { PERSIST_MARGIN_MS } from "./stop-times.js";
import { TestDisk } from "./test-disk.rig.js";

const storage = "file_storage";

function onDisk(disk: TestDisk, options: RigOptions = {}) {
  return startExporter({
    ...options,
    host: disk.host(),
    queue: { storage, num_consumers: 1, ...options.queue },
  });
}

/** A disk that an earlier process left with one record per count. */
async function diskWith(...itemCounts: readonly number[]): Promise<TestDisk> {
  const disk = new TestDisk();
  const rig = await onDisk(disk);
  for (const itemCount of itemCounts) await rig.consume(spans(itemCount));
  disk.crash();
  disk.operations.length = 0;
  return disk;
}

/** Ends every send that begins, as the destination's answer `error` or as taken. */
async function endAll(rig: Awaited<ReturnType<typeof onDisk>>, error?: unknown): Promise<void> {
  for (let index = 0; index < rig.sends.length; index++) {
    rig.sends[index]?.end(error);
    await settle();
  }
}

suite("a queue on disk", () => {
  test("acknowledges what the disk has, not before, and removes what was delivered", async () => {
    const disk = new TestDisk();
    const rig = await onDisk(disk);
    let write = (_fate: "done") => {};
    disk.judge = () =>
      new Promise((resolve) => {
        write = resolve;
      });
    const ending = await rig.consume(spans(7));
    assert.equal(ending.state, "waiting");
    assert.equal(rig.ledger.heldItems, 0);
    assert.equal(rig.gauge("size"), 1, "it has its place already");
    assert.equal(rig.sends.length, 0);
    write("done");
    await settle();
    assert.equal(ending.state, "resolved");
    assert.equal(rig.ledger.heldItems, 7);
    assert.deepEqual(disk.itemCounts, [7]);
    disk.judge = () => "done";
    rig.sends[0]?.end();
    await settle();
    assert.deepEqual(disk.itemCounts, []);
    assert.equal(rig.ledger.heldItems, 0);
    assert.equal(rig.gauge("size"), 0);
  });

  for (const [what, error, retry, reason] of [
    ["is refused for good", rejected, undefined, "backend_rejected"],
    [
      "has been tried for `max_elapsed_time`",
      away,
      { max_elapsed_time: "1s" },
      "retries_exhausted",
    ],
  ] as const) {
    test(`drops and removes what ${what}`, async () => {
      const disk = new TestDisk();
      const rig = await onDisk(disk, { verdict: () => error, ...(retry ? { retry } : {}) });
      await rig.consume(spans(3));
      await settle();
      assert.deepEqual(rig.ledger.dropReasons, { [reason]: 3 });
      assert.deepEqual(disk.itemCounts, []);
      assert.equal(rig.ledger.heldItems, 0);
    });
  }

  test("delivers in the order of the records, though the disk answers in another", async () => {
    const disk = new TestDisk();
    const rig = await onDisk(disk);
    const writes: ((fate: "done" | Error) => void)[] = [];
    disk.judge = (operation) =>
      operation.startsWith("append")
        ? new Promise((resolve) => {
            writes.push(resolve);
          })
        : "done";
    const endings = [];
    for (const itemCount of [1, 2, 3, 4]) endings.push(await rig.consume(spans(itemCount)));
    writes[3]?.("done");
    await settle();
    assert.deepEqual(rig.sizes(), []);
    writes[1]?.(new RetryableError("STORAGE_FAILED", "disk full", { retryAfterMs: 9_000 }));
    writes[0]?.("done");
    writes[2]?.("done");
    await settle();
    await endAll(rig);
    assert.deepEqual(rig.sizes(), [1, 3, 4]);
    const states = endings.map(({ state }) => state);
    assert.deepEqual(states, ["resolved", "rejected", "resolved", "resolved"]);
    assert.equal(rig.ledger.heldItems, 0);
  });

  test("tells the sender when the disk cannot keep it, and holds nothing of it", async () => {
    const disk = new TestDisk();
    const rig = await onDisk(disk, { queue: { queue_size: 1 } });
    const told = new RetryableError("STORAGE_FAILED", "disk full", { retryAfterMs: 9_000 });
    const silent = new RetryableError("STORAGE_FAILED", "disk full");
    for (const [fate, message, retryAfterMs] of [
      [told, "disk full", 9_000],
      [silent, "disk full", 5_000],
      [new Error("EIO"), "the queue cannot be written: EIO", 5_000],
    ] as const) {
      disk.judge = () => fate;
      const { error } = await rig.consume(spans(2));
      assert.ok(error instanceof RetryableError);
      assert.deepEqual(
        [error.code, error.message, error.retryAfterMs],
        ["STORAGE_FAILED", message, retryAfterMs],
      );
      assert.equal(rig.gauge("size"), 0);
    }
    assert.equal(rig.sum("enqueue_failed"), 6);
    assert.equal(rig.ledger.heldItems, 0);
    assert.equal(rig.ledger.droppedItems(), 0);
    disk.judge = () => "done";
    assert.equal((await rig.consume(spans(2))).state, "resolved");
  });

  test("keeps bytes in memory within a bound and reads the others back", async () => {
    const disk = new TestDisk();
    const rig = await onDisk(disk);
    const [chunk] = spans(1).chunks;
    const large = (retainedBytes: number) =>
      new Batch({
        signal: "traces",
        chunks: [chunk ?? new Uint8Array()],
        origin: createTestOrigin(),
        retainedBytes,
      });
    await rig.consume(large(RESIDENT_BYTES_MAX - 1));
    await rig.consume(large(1));
    await rig.consume(large(1));
    await endAll(rig);
    assert.deepEqual(rig.sizes(), [1, 1, 1]);
    assert.deepEqual(disk.reads, [3], "the first two fill the bound");
    await rig.consume(large(RESIDENT_BYTES_MAX));
    await endAll(rig);
    assert.deepEqual(disk.reads, [3], "what has left makes room");
  });

  test("says so when what was delivered cannot be removed", async () => {
    const disk = new TestDisk();
    const rig = await onDisk(disk, { verdict: () => undefined });
    disk.judge = (operation) => (operation.startsWith("remove") ? new Error("EIO") : "done");
    await rig.consume(spans(1));
    assert.equal(rig.ledger.heldItems, 0);
    assert.match(rig.settings.logger.messages("warn").join(), /could not be removed.*again/);
    assert.equal(rig.settings.backgroundFailures.length, 0);
  });

  test("writes no headers that carry credentials, unless it merges by them", async () => {
    const disk = new TestDisk();
    const rig = await onDisk(disk, {
      queue: { batch: { min_size: 9, partition: { metadata_keys: ["X-Tenant-Key"] } } },
    });
    const names = ["authorization", "proxy-authorization", "cookie", "x-api-key", "x-auth-token"];
    const metadata = new Map(names.map((name) => [name, ["canary"]]));
    metadata.set("x-tenant-key", ["blue"]).set("x-author", ["ann"]);
    await rig.consume(spans(1, { metadata }));
    const [record] = disk.records.values();
    const text = Buffer.from(record?.bytes ?? []).toString("latin1");
    assert.match(text, /\["x-tenant-key",\["blue"\]\],\["x-author",\["ann"\]\]/);
    assert.doesNotMatch(text, /canary|cookie|authorization/);
  });

  test("gives its log free when it is stopped before the disk has opened it", async () => {
    const disk = new TestDisk();
    const host = disk.host();
    const storageOnDisk = host.extension(storage) as QueueStorage;
    let open = () => {};
    const isOpening = new Promise<void>((resolve) => {
      open = resolve;
    });
    const slow: QueueStorage = {
      ...storageOnDisk,
      openRecordLog: async (owner) => {
        await isOpening;
        return storageOnDisk.openRecordLog(owner);
      },
    };
    const rig = await onDisk(disk, { isStarted: false });
    const starting = rig.exporter.start(new TestHost({ file_storage: slow }));
    const refused = assert.rejects(starting, /shut down while it was starting/);
    await rig.exporter.shutdown(rig.settings.clock.nowMs() + 1_000);
    open();
    await refused;
    assert.equal(disk.closed, 1);
  });

  test("gives its log free although the sender cannot be closed", async () => {
    const disk = new TestDisk();
    const bug = new TypeError("bug");
    const sender: Sender = {
      start: async () => undefined,
      send: () => Promise.reject(away),
      close: () => Promise.reject(bug),
    };
    const policy = { queue: sendingQueue().parse({ storage }) };
    const settings = exporterSettings();
    const exporter = new DeliveringExporter(settings, sender, policy);
    await exporter.start(disk.host());
    await assert.rejects(exporter.shutdown(settings.clock.nowMs() + 1_000), bug);
    assert.equal(disk.closed, 1);
  });

  test("does not start without its storage", async () => {
    const rig = await startExporter({ queue: { storage }, isStarted: false });
    await assert.rejects(rig.exporter.start(new TestHost()), /"file_storage", which does not run/);
    await rig.exporter.shutdown(rig.settings.clock.nowMs());
  });
});

suite("after a restart, a queue on disk", () => {
  test("delivers what it finds in order, before what is new", async () => {
    const disk = await diskWith(1, 2, 3);
    const rig = await onDisk(disk);
    assert.equal(rig.ledger.recoveredItems, 6);
    assert.equal(rig.gauge("size"), 3);
    await rig.consume(spans(4));
    await endAll(rig);
    assert.deepEqual(rig.sizes(), [1, 2, 3, 4]);
    assert.deepEqual(disk.itemCounts, []);
    assert.equal(rig.ledger.heldItems, 0);
  });

  test("takes nothing new while it holds more than queue_size", async () => {
    const disk = await diskWith(1, 2, 3);
    const rig = await onDisk(disk, { queue: { queue_size: 2 } });
    const refused = async () => (await rig.consume(spans(4))).state === "rejected";
    assert.equal(await refused(), true);
    rig.sends[0]?.end();
    await settle();
    assert.equal(await refused(), true, "two are as many as may be");
    rig.sends[1]?.end();
    await settle();
    assert.equal(await refused(), false);
    await endAll(rig);
    assert.deepEqual(rig.sizes(), [1, 2, 3, 4]);
  });

  test("merges what it finds, by metadata that survived", async () => {
    const disk = new TestDisk();
    const batch = { min_size: 100, partition: { metadata_keys: ["x-tenant"] } };
    const before = await onDisk(disk, { queue: { batch } });
    for (const tenant of ["a", "b", "a"]) await before.consume(spansOf(tenant));
    disk.crash();
    const rig = await onDisk(disk, { queue: { batch }, verdict: () => undefined });
    await rig.settings.clock.advanceAndSettle(200);
    assert.deepEqual(rig.sizes(), [2, 1]);
    assert.deepEqual(disk.itemCounts, []);
  });

  test("knows how old its oldest entry is", async () => {
    const disk = await diskWith(1);
    const settings = exporterSettings();
    settings.clock.advance(60_000);
    const rig = await onDisk(disk, { settings });
    assert.equal(rig.own("oldest_age_seconds"), 60);
  });

  test("drops a damaged record with its reason, and only that", async () => {
    const disk = await diskWith(1, 2, 3, 4, 5);
    const damage: ((bytes: Uint8Array) => Uint8Array)[] = [
      (bytes) => bytes.subarray(0, 11),
      (bytes) => bytes.fill(0xff, 8, 12),
      (bytes) => bytes.fill(0x20, 12, 13),
      (bytes) => bytes.fill(2, 1, 2),
    ];
    for (const [index, [key, { bytes, itemCount }]] of [...disk.records].entries()) {
      const damaged = damage[index]?.(bytes) ?? bytes;
      disk.records.set(key, { bytes: damaged, itemCount });
    }
    const rig = await onDisk(disk, { verdict: () => undefined });
    await settle();
    assert.deepEqual(rig.sizes(), [5]);
    assert.deepEqual(rig.ledger.dropReasons, { storage_corrupt: 1 + 2 + 3 + 4 });
    assert.equal(rig.ledger.heldItems, 0);
    assert.equal(rig.gauge("size"), 0);
    assert.deepEqual(disk.itemCounts, []);
    const message = "a record of the queue is damaged and was dropped";
    assert.deepEqual(rig.settings.logger.messages("error"), [message]);
  });

  test("leaves a record of another version on disk for that one", async () => {
    const disk = await diskWith(1, 2);
    const [first] = disk.records.values();
    first?.bytes.fill(2, 0, 1);
    const rig = await onDisk(disk, { verdict: () => undefined });
    await settle();
    assert.deepEqual(rig.sizes(), [2]);
    assert.equal(rig.ledger.persistedItems, 1);
    assert.equal(rig.ledger.droppedItems(), 0);
    assert.equal(rig.ledger.heldItems, 0);
    assert.deepEqual(disk.itemCounts, [1]);
    assert.match(rig.settings.logger.messages("error").join(), /another version; it stays/);
  });
});

suite("a stopping queue on disk", () => {
  test("starts nothing, lets end what has begun, and leaves the rest to the next process", async () => {
    const disk = new TestDisk();
    const rig = await onDisk(disk, { queue: { num_consumers: 2 } });
    for (const itemCount of [1, 2, 3, 4]) await rig.consume(spans(itemCount));
    const deadlineMs = rig.settings.clock.nowMs() + 10_000;
    const stopping = await outcomeOf(rig.exporter.shutdown(deadlineMs));
    rig.sends[0]?.end();
    await settle();
    assert.deepEqual(rig.sizes(), [1, 2]);
    assert.equal(stopping.state, "waiting");
    rig.sends[1]?.end(away);
    await settle();
    assert.equal(stopping.state, "resolved");
    assert.deepEqual(disk.itemCounts, [2, 3, 4]);
    assert.equal(rig.ledger.persistedItems, 9);
    assert.equal(rig.ledger.heldItems, 0);
    assert.equal(rig.ledger.droppedItems(), 0);
    assert.equal(rig.sum("send_failed"), 0, "it has not failed in the end");
    assert.equal((await rig.consume(spans(1))).state, "rejected");
    assert.equal(rig.settings.clock.pendingTimers, 0);
    await rig.exporter.shutdown(deadlineMs);
    assert.equal(rig.ledger.persistedItems, 9);
  });

  test("stops waiting a margin before the deadline, however long a send takes", async () => {
    const disk = new TestDisk();
    const rig = await onDisk(disk);
    await rig.consume(spans(5));
    const deadlineMs = rig.settings.clock.nowMs() + 10_000;
    const stopping = await outcomeOf(rig.exporter.shutdown(deadlineMs));
    await rig.settings.clock.advanceAndSettle(10_000 - PERSIST_MARGIN_MS);
    assert.equal(stopping.state, "waiting", "the sender may still report");
    await rig.settings.clock.advanceAndSettle(PERSIST_MARGIN_MS);
    assert.equal(stopping.state, "resolved");
    assert.equal(rig.ledger.persistedItems, 5);
    rig.sends[0]?.end();
    await settle();
    assert.equal(rig.ledger.heldItems, 0, "a late answer changes nothing");
    assert.deepEqual(disk.itemCounts, [5]);
  });

  test("ends waits between tries and keeps what waited", async () => {
    const disk = new TestDisk();
    const rig = await onDisk(disk, { retry: {}, verdict: () => away });
    await rig.consume(spans(5));
    await rig.exporter.shutdown(rig.settings.clock.nowMs() + 10_000);
    assert.equal(rig.sends.length, 1);
    assert.equal(rig.ledger.persistedItems, 5);
    assert.equal(rig.ledger.droppedItems(), 0);
    assert.deepEqual(disk.itemCounts, [5]);
  });

  test("still acknowledges what was on its way to the disk", async () => {
    const disk = new TestDisk();
    const rig = await onDisk(disk);
    let write = (_fate: "done") => {};
    disk.judge = () =>
      new Promise((resolve) => {
        write = resolve;
      });
    const ending = await rig.consume(spans(5));
    const deadlineMs = rig.settings.clock.nowMs() + 10_000;
    const stopping = await outcomeOf(rig.exporter.shutdown(deadlineMs));
    assert.equal(stopping.state, "waiting");
    write("done");
    await settle();
    assert.equal(ending.state, "resolved");
    assert.equal(stopping.state, "resolved");
    assert.equal(rig.ledger.persistedItems, 5);
    assert.equal(rig.ledger.heldItems, 0);
    assert.equal(rig.sends.length, 0);
  });

  test("completes a request of which a part is delivered, and begins no other", async () => {
    const disk = new TestDisk();
    const queue = { batch: { min_size: 0, max_size: 2 } };
    const rig = await onDisk(disk, { queue });
    for (const itemCount of [5, 4]) await rig.consume(spans(itemCount));
    const stopping = await outcomeOf(rig.exporter.shutdown(rig.settings.clock.nowMs() + 10_000));
    await endAll(rig);
    assert.equal(stopping.state, "resolved");
    assert.deepEqual(rig.sizes(), [2, 2, 1]);
    assert.deepEqual(disk.itemCounts, [4]);
    assert.equal(rig.ledger.persistedItems, 4);
    assert.equal(rig.ledger.heldItems, 0);
  });

  test("does not go on with a request of which a part failed: it stays as a whole", async () => {
    const disk = new TestDisk();
    const rig = await onDisk(disk, { queue: { batch: { min_size: 0, max_size: 2 } } });
    await rig.consume(spans(5));
    const stopping = await outcomeOf(rig.exporter.shutdown(rig.settings.clock.nowMs() + 10_000));
    await endAll(rig, away);
    assert.equal(stopping.state, "resolved");
    assert.deepEqual(rig.sizes(), [2]);
    assert.equal(rig.ledger.persistedItems, 5);
    assert.equal(rig.ledger.droppedItems(), 0);
  });

  test("begins nothing after its time, though a part is left", async () => {
    const disk = new TestDisk();
    const rig = await onDisk(disk, { queue: { batch: { min_size: 0, max_size: 2 } } });
    await rig.consume(spans(5));
    const stopping = await outcomeOf(rig.exporter.shutdown(rig.settings.clock.nowMs() + 10_000));
    await rig.settings.clock.advanceAndSettle(10_000 - PERSIST_MARGIN_MS);
    rig.sends[0]?.end();
    await settle();
    assert.equal(stopping.state, "resolved");
    assert.deepEqual(rig.sizes(), [2]);
    assert.equal(rig.ledger.persistedItems, 5);
    assert.equal(rig.ledger.heldItems, 0);
  });

  test("does not flush what waits to be merged", async () => {
    const disk = new TestDisk();
    const rig = await onDisk(disk, { queue: { batch: {} } });
    await rig.consume(spans(5));
    await rig.exporter.shutdown(rig.settings.clock.nowMs() + 10_000);
    assert.equal(rig.sends.length, 0);
    assert.equal(rig.ledger.persistedItems, 5);
    assert.equal(rig.settings.clock.pendingTimers, 0);
  });
});
