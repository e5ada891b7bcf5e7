import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Batch } from "@inode-gateway/contract";
import { createTestBatch, createTestOrigin, FakeClock } from "@inode-gateway/testkit";
import { mergeBatches } from "../batching/merge-batches.js";
import {
  DamagedRecordError,
  decodeRecord,
  encodeRecord,
  RECORD_VERSION,
  UnknownRecordVersionError,
} from "./record-format.js";

const clock = new FakeClock();

const noNames: ReadonlySet<string> = new Set();

function recordOf(batch: Batch): Uint8Array {
  return Uint8Array.from(Buffer.concat(encodeRecord(batch, clock, noNames)));
}

suite("a record of a queue", () => {
  test("gives back the request, its sender and metadata, and how old it is", () => {
    const batch = createTestBatch({
      signal: "metrics",
      itemCount: 3,
      origin: {
        peer: "[::1]:4711",
        receivedAtMs: clock.nowMs() - 250,
        deadlineMs: clock.nowMs() + 1,
        metadata: new Map([["x-tenant", ["ä", ""]]]),
        auth: new Map([["username", "canary"]]),
      },
    });
    const record = recordOf(batch);
    assert.equal(record[0], RECORD_VERSION);
    assert.ok(!Buffer.from(record).includes("canary"), "who logged in is never written to disk");
    const later = new FakeClock();
    later.advance(1_000);
    const back = decodeRecord(record, "metrics", later);
    assert.deepEqual(Buffer.from(back.bytes), Buffer.from(batch.bytes));
    assert.equal(back.itemCount, 3);
    assert.deepEqual(back.origin, {
      peer: "[::1]:4711",
      receivedAtMs: later.nowMs() - 1_250,
      deadlineMs: Number.POSITIVE_INFINITY,
      metadata: new Map([["x-tenant", ["ä", ""]]]),
    });
    assert.deepEqual(back.mergedFrom, []);
  });

  test("of a merged batch can still be taken apart", () => {
    const parts = [1, 2, 3].map((itemCount) =>
      createTestBatch({ itemCount, origin: { peer: `10.0.0.${itemCount}:1` } }),
    );
    const merged = mergeBatches(parts, new Map());
    assert.ok(merged !== undefined);
    const back = decodeRecord(recordOf(merged), "traces", clock);
    assert.deepEqual(
      back.mergedFrom.map(({ bytes, itemCount, origin }) => [
        Buffer.from(bytes),
        itemCount,
        origin.peer,
      ]),
      parts.map(({ bytes, itemCount, origin }) => [Buffer.from(bytes), itemCount, origin.peer]),
    );
  });

  test("of an empty request is one too", () => {
    const empty = new Batch({ signal: "logs", chunks: [], origin: createTestOrigin() });
    assert.equal(decodeRecord(recordOf(empty), "logs", clock).byteLength, 0);
  });

  test("cut off anywhere before its request is damaged", () => {
    const batch = createTestBatch();
    const record = recordOf(batch);
    for (let length = 0; length < record.length - batch.byteLength; length++) {
      assert.throws(
        () => decodeRecord(record.subarray(0, length), "traces", clock),
        DamagedRecordError,
        `${length} bytes`,
      );
    }
  });

  test("of another signal, or with a description of another shape, is damaged", () => {
    assert.throws(() => decodeRecord(recordOf(createTestBatch()), "logs", clock), {
      name: "DamagedRecordError",
      message: "record is of traces, the queue of logs",
    });
    for (const description of [
      null,
      1,
      { peer: 1 },
      { peer: "", receivedAtUnixMs: 1, metadata: [1], parts: [] },
      { peer: "", receivedAtUnixMs: 1, metadata: [["a", [1]]], parts: [] },
      { peer: "", receivedAtUnixMs: 1, metadata: [], parts: [null] },
      { peer: "", receivedAtUnixMs: 1, metadata: [], parts: [[1, 1, "x"]] },
      { peer: "", receivedAtUnixMs: 1, metadata: [], parts: [[-1, 1, "x"]] },
    ]) {
      const text = Buffer.from(JSON.stringify(description));
      const header = Buffer.alloc(12);
      header.writeUInt8(RECORD_VERSION, 0);
      header.writeUInt32LE(text.length, 8);
      const record = Buffer.concat([header, text]);
      assert.throws(() => decodeRecord(record, "traces", clock), DamagedRecordError);
    }
  });

  test("of another version is told apart from a damaged one", () => {
    const record = recordOf(createTestBatch());
    record[0] = RECORD_VERSION + 1;
    assert.throws(() => decodeRecord(record, "traces", clock), UnknownRecordVersionError);
  });
});
