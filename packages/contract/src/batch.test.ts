import assert from "node:assert/strict";
import { test } from "node:test";
import { countItems, type Signal } from "@inode-gateway/otlp";
import { createTestBatch, createTestOrigin } from "@inode-gateway/testkit";
import { Batch } from "./batch.js";

const origin = createTestOrigin();

test("bytes are joined once and kept; a single chunk is used as it is", () => {
  const [first, second] = [Uint8Array.of(1, 2), Uint8Array.of(3)];
  const joined = new Batch({ signal: "traces", chunks: [first, second], origin });
  assert.equal(joined.byteLength, 3);
  assert.deepEqual([...joined.bytes], [1, 2, 3]);
  assert.equal(joined.bytes, joined.bytes);
  const single = new Batch({ signal: "traces", chunks: [first], origin });
  assert.equal(single.bytes, first);
  const empty = new Batch({ signal: "logs", chunks: [], origin });
  assert.deepEqual([empty.byteLength, empty.bytes.byteLength, empty.itemCount], [0, 0, 0]);
});

test("retained bytes are the batch's own unless the caller knows better", () => {
  const chunks = [new Uint8Array(10)];
  assert.equal(new Batch({ signal: "traces", chunks, origin }).retainedBytes, 10);
  const slice = new Batch({ signal: "traces", chunks, origin, retainedBytes: 65_536 });
  assert.equal(slice.retainedBytes, 65_536);
});

test("items are counted on the wire when nobody has counted them", () => {
  for (const signal of ["traces", "metrics", "logs", "profiles"] satisfies Signal[]) {
    const counted = createTestBatch({ signal, itemCount: 3 });
    assert.equal(countItems(signal, counted.bytes), 3, signal);
    const uncounted = new Batch({ signal, chunks: counted.chunks, origin });
    assert.equal(uncounted.itemCount, 3, signal);
  }
});

test("a changed batch keeps signal, origin and count, and leaves the first one alone", () => {
  const batch = createTestBatch({ itemCount: 2 });
  const changed = batch.withChunks([Uint8Array.of(0), batch.bytes]);
  assert.equal(changed.origin, batch.origin);
  assert.equal(changed.itemCount, 2);
  assert.equal(changed.byteLength, batch.byteLength + 1);
  assert.equal(batch.chunks.length, 1);
  assert.equal(batch.withChunks([], 0).itemCount, 0);
});

test("a changed batch retains what the first one does, or its own bytes when they are more", () => {
  const batch = new Batch({ signal: "traces", chunks: [new Uint8Array(10)], origin, itemCount: 0 });
  assert.equal(batch.withChunks([batch.bytes.subarray(0, 1)]).retainedBytes, 10);
  assert.equal(batch.withChunks([batch.bytes, Uint8Array.of(0)]).retainedBytes, 11);
});

test("a batch that was not merged says so", () => {
  const parts = [createTestBatch(), createTestBatch()];
  assert.deepEqual(createTestBatch().mergedFrom, []);
  const merged = new Batch({
    signal: "traces",
    chunks: parts.flatMap(({ chunks }) => chunks),
    origin,
    mergedFrom: parts,
  });
  assert.equal(merged.itemCount, 2);
  assert.deepEqual(merged.mergedFrom, parts);
});
