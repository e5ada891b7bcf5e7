import assert from "node:assert/strict";
import { test } from "node:test";
import type { Batch } from "@inode-gateway/contract";
import { createTestBatch } from "@inode-gateway/testkit";
import { mergeBatches } from "./merge-batches.js";
import { splitBatch } from "./split-batch.js";

const noMetadata: ReadonlyMap<string, readonly string[]> = new Map();

function merged(...batches: readonly Batch[]): Batch {
  const batch = mergeBatches(batches, noMetadata);
  assert.ok(batch !== undefined);
  return batch;
}

function request(itemCount: number): Batch {
  return createTestBatch({ itemCount });
}

const counts = (parts: readonly Batch[]) => parts.map(({ itemCount }) => itemCount);
const members = (parts: readonly Batch[]) => parts.map(({ mergedFrom }) => counts(mergedFrom));

test("requests of a merged batch stay whole, as many together as fit", () => {
  const parts = splitBatch(merged(request(3), request(4), request(3), request(7), request(2)), {
    maxItems: 7,
  });
  assert.deepEqual(counts(parts), [7, 3, 7, 2]);
  assert.deepEqual(members(parts), [[3, 4], [], [], []]);
});

test("a request that alone is too large is split, the others beside it are not", () => {
  const parts = splitBatch(merged(request(2), request(9), request(1), request(3)), { maxItems: 4 });
  assert.deepEqual(counts(parts), [2, 4, 4, 1, 4]);
  assert.deepEqual(members(parts).at(-1), [1, 3]);
});

test("a merged batch within a merged batch is taken apart in the same way", () => {
  const inner = merged(request(3), request(3));
  const parts = splitBatch(merged(inner, request(2)), { maxItems: 5 });
  assert.deepEqual(counts(parts), [3, 3, 2]);
});

test("bytes limit as items do, and nothing is lost or doubled", () => {
  const whole = merged(request(2), request(2), request(2));
  const [one] = whole.mergedFrom;
  const exact = 2 * (one?.byteLength ?? 0);
  assert.deepEqual(counts(splitBatch(whole, { maxBytes: exact })), [4, 2]);
  assert.deepEqual(counts(splitBatch(whole, { maxBytes: exact - 1 })), [2, 2, 2]);
  const joined = Buffer.concat(splitBatch(whole, { maxBytes: exact }).map(({ bytes }) => bytes));
  assert.deepEqual(joined, Buffer.from(whole.bytes));
});
