import assert from "node:assert/strict";
import { test } from "node:test";
import { RecordCache } from "../cache/record-cache.js";
import { OutdatedRecords, waitingPublicationsMax } from "./outdated-records.js";
import type { Publication } from "./publications.js";

const bootId = "9a2f4c1e-52b7-4a39-8f0d-6d1c83e0b7aa";
const published = (inode: number): Publication => ({
  kind: "published",
  bootId,
  keys: [{ inode }],
});

function filled() {
  const cache = new RecordCache(4_096);
  for (const inode of [5, 6]) {
    cache.set({ bootId, inode }, { containerId: `c${inode}`, attributes: {} });
  }
  const has = (inode: number) => cache.get({ bootId, inode }) !== undefined;
  return { outdated: new OutdatedRecords(cache), has };
}

test("a record published anew is forgotten at once while Redis can be asked", () => {
  const { outdated, has } = filled();
  outdated.hear(published(5), true);
  assert.deepEqual([has(5), has(6)], [false, true]);
});

// Scenario: the connection for publications is back, the one for lookups is not.
test("while Redis cannot be asked a record serves on, and is forgotten when it can", () => {
  const { outdated, has } = filled();
  outdated.hear(published(5), false);
  assert.deepEqual([has(5), has(6)], [true, true]);
  outdated.forgetWaiting();
  assert.deepEqual([has(5), has(6)], [false, true]);
  outdated.hear({ kind: "published_many", bootId }, false);
  assert.equal(has(6), true);
  outdated.forgetWaiting();
  assert.equal(has(6), false);
});

test("a node in doubt is forgotten at once, also while Redis cannot be asked", () => {
  const { outdated, has } = filled();
  outdated.hear({ kind: "doubted", bootId }, false);
  assert.deepEqual([has(5), has(6)], [false, false]);
});

test("so many publications wait, one more is acted on at once", () => {
  const { outdated, has } = filled();
  for (let count = 1; count < waitingPublicationsMax; count++) outdated.hear(published(7), false);
  outdated.hear(published(5), false);
  assert.equal(has(5), true, "the last one that waits");
  outdated.hear(published(6), false);
  assert.equal(has(6), false, "the first one that does not");
});
