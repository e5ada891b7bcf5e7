import assert from "node:assert/strict";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { FakeClock, realClock, settle } from "@inode-gateway/testkit";
import type { RecordSpace, WriteGroup } from "./data-file.js";
import { owner, record, startStorage, temporaryDirectory } from "./file-storage.rig.js";
import { GroupWriter, type GroupWriterObserver } from "./group-writer.js";
import { encodeKey, encodeValue } from "./record-format.js";
import { WritingThread, type WritingThreadListener } from "./writing-thread.js";

const timeoutMs = 1_000;

/** A writer on a fake clock, whose thread and file are real. */
async function openWriter(t: TestContext, directory: string) {
  const clock = new FakeClock();
  const seen = { freed: [] as RecordSpace[], appendFailures: [] as string[], deaths: 0 };
  const observer: GroupWriterObserver = {
    freed: (space) => seen.freed.push(space),
    written: () => undefined,
    appendFailed: (_, reason) => seen.appendFailures.push(reason),
    removeFailed: () => undefined,
    died: () => {
      seen.deaths++;
    },
  };
  const path = join(directory, "queues.mdb");
  const data = { path, fsync: false, fileBytesMax: 268_435_456 };
  const thread = await WritingThread.open(data, realClock);
  const writer = new GroupWriter(thread, clock, timeoutMs, observer);
  t.after(() => writer.close());
  return { clock, seen, writer };
}

function append(sequence: number, byteLength = 1_000) {
  const key = encodeKey({ log: 1, sequence, itemCount: 1, byteLength });
  const value = encodeValue(key, [Buffer.alloc(byteLength)], byteLength);
  return { key, value, space: { records: 1, bytes: 4_096 } };
}

const tooLate = {
  name: "RetryableError",
  code: "STORAGE_FAILED",
  message: "a record was not stored: it took longer than `timeout`, which is 1000 ms",
};

suite("group writer", () => {
  test("an append that takes too long is refused, and taken out when it succeeds after all", async (t) => {
    const { clock, seen, writer } = await openWriter(t, temporaryDirectory(t));
    const late = writer.append(append(1));
    await Promise.resolve();
    clock.advance(timeoutMs - 1);
    assert.deepEqual(seen.appendFailures, []);
    clock.advance(1);
    await assert.rejects(late, tooLate);
    assert.deepEqual(seen.freed, [], "it may still get into the file");
    await writer.idle();
    const freed = seen.freed.reduce((sum, { records }) => sum + records, 0);
    assert.equal(freed, 1, "it is removed again");
    assert.equal(seen.appendFailures.length, 1);
  });

  test("an append that still waits when its time is over is never written", async (t) => {
    const { clock, seen, writer } = await openWriter(t, temporaryDirectory(t));
    const first = writer.append(append(1));
    await Promise.resolve();
    clock.advance(500);
    const second = writer.append(append(2));
    clock.advance(500);
    await assert.rejects(first, tooLate);
    clock.advance(500);
    await assert.rejects(second, tooLate);
    assert.deepEqual(seen.freed, [{ records: 1, bytes: 4_096 }]);
    await writer.idle();
    await writer.remove([append(2).key]);
    assert.equal(
      seen.freed.reduce((sum, { records }) => sum + records, 0),
      2,
    );
  });

  test("takes 128 MiB that wait for the disk, and refuses more at once", async (t) => {
    const { writer } = await openWriter(t, temporaryDirectory(t));
    const half = 67_108_864 - 4;
    const waiting = [1, 2].map((sequence) => writer.append(append(sequence, half)));
    await assert.rejects(writer.append(append(3, 0)), {
      code: "STORAGE_FAILED",
      message:
        /^a record was not stored: 134217728 bytes wait for the disk, at most 134217728 may$/,
    });
    await Promise.all(waiting);
    await writer.append(append(4, 0));
  });

  test("a removal that takes too long is told, and done all the same", async (t) => {
    const { clock, seen, writer } = await openWriter(t, temporaryDirectory(t));
    await writer.append(append(1));
    const removal = writer.remove([append(1).key]);
    clock.advance(timeoutMs);
    await assert.rejects(removal, /delivered records are still on disk .* longer than `timeout`/);
    await writer.idle();
    assert.deepEqual(seen.freed.at(-1), { records: 1, bytes: 4_096 });
  });

  // Scenario: a removal fails; an append takes the retry along; another removal comes meanwhile.
  // Guarantees: that one is not left lying, although nothing else is written afterwards.
  test("removes what is asked for while an append takes a failed removal along", async () => {
    const clock = new FakeClock();
    const groups: WriteGroup[] = [];
    let listener: WritingThreadListener | undefined;
    const thread = {
      listen: (given: WritingThreadListener) => {
        listener = given;
      },
      write: (group: WriteGroup) => void groups.push(group),
      close: async () => undefined,
    };
    const writer = new GroupWriter(thread, clock, timeoutMs, {
      freed: () => undefined,
      written: () => undefined,
      appendFailed: () => undefined,
      removeFailed: () => undefined,
      died: () => undefined,
    });
    const nothing = { records: 0, bytes: 0 };
    const answer = async (removeFailure?: string) => {
      listener?.written({ kind: "written", removed: nothing, durationMs: 1, removeFailure });
      await settle();
    };
    const failed = assert.rejects(writer.remove([append(1).key]), /no space/);
    await settle();
    await answer("no space");
    await failed;
    const appended = writer.append(append(2));
    await settle();
    const removed = writer.remove([append(3).key]);
    await answer();
    await appended;
    assert.equal(groups.length, 3);
    assert.deepEqual(groups[2]?.removeKeys, new Uint8Array(append(3).key));
    await answer();
    await removed;
    await writer.idle();
    await writer.close();
  });

  test("refuses everything after its close", async (t) => {
    const { seen, writer } = await openWriter(t, temporaryDirectory(t));
    const before = writer.append(append(1));
    await Promise.resolve();
    const closing = writer.close();
    await assert.rejects(writer.append(append(2)), /the storage is shut down/);
    await assert.rejects(writer.remove([append(1).key]), /the storage is shut down/);
    await Promise.all([before, closing, writer.close()]);
    assert.equal(seen.deaths, 0);
  });

  test("a file that cannot be opened is an error", async (t) => {
    const path = join(temporaryDirectory(t), "missing", "\u0000");
    const data = { path, fsync: false, fileBytesMax: 268_435_456 };
    await assert.rejects(WritingThread.open(data, realClock), /cannot be opened: /);
  });

  test("many appends of one turn share few transactions", async (t) => {
    const { settings, stop, storage } = await startStorage(t, { directory: temporaryDirectory(t) });
    const log = await storage.openRecordLog(owner);
    const name = "inode_gateway_file_storage_write_duration_seconds";
    const before = settings.meter.recorded(name, { extension: "file_storage" }).length;
    await Promise.all(Array.from({ length: 1_000 }, () => log.append([record(1)], 1)));
    const after = settings.meter.recorded(name, { extension: "file_storage" }).length;
    assert.equal(after - before, 1);
    await stop(log);
  });
});
