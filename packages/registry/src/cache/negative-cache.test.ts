import assert from "node:assert/strict";
import { test } from "node:test";
import { testBootId } from "@inode-gateway/testkit";
import { NegativeCache } from "./negative-cache.js";

const bootId = testBootId(1);
const key = { bootId, inode: 1020 };
const miss = { outcome: "unknown_inode" } as const;

test("believes an answer for its life and not a millisecond longer", () => {
  const cache = new NegativeCache({ entriesMax: 10, lifeMs: 1_000 });
  cache.set(key, miss, 5_000);
  assert.equal(cache.get(key, 5_999), miss);
  assert.equal(cache.get(key, 6_000), undefined);
  assert.equal(cache.get(key, 4_999), undefined, "nor after the clock was set back");
  assert.equal(cache.get({ ...key, device: 38 }, 5_000), undefined);
});

test("with a life of 0 it believes nothing", () => {
  const cache = new NegativeCache({ entriesMax: 10, lifeMs: 0 });
  cache.set(key, miss, 5_000);
  assert.equal(cache.get(key, 5_000), undefined);
  assert.equal(cache.size, 0);
});

test("an unknown node answers for all its inodes until one of them is published", () => {
  const cache = new NegativeCache({ entriesMax: 10, lifeMs: 1_000 });
  cache.set(key, { outcome: "unknown_node" }, 5_000);
  assert.equal(cache.get({ bootId, inode: 9, device: 38 }, 5_000)?.outcome, "unknown_node");
  cache.deleteInode(bootId, 7777);
  assert.equal(cache.get(key, 5_000), undefined);
  assert.equal(cache.size, 0);
});

test("forgets an inode under all its devices, or a whole node", () => {
  const cache = new NegativeCache({ entriesMax: 10, lifeMs: 1_000 });
  for (const device of [undefined, 38, 32]) cache.set({ ...key, device }, miss, 5_000);
  cache.set({ bootId, inode: 1061 }, { outcome: "ambiguous" }, 5_000);
  assert.equal(cache.size, 4);
  cache.deleteInode(bootId, 1020);
  assert.equal(cache.get({ ...key, device: 38 }, 5_000), undefined);
  assert.equal(cache.get({ bootId, inode: 1061 }, 5_000)?.outcome, "ambiguous");
  assert.equal(cache.size, 1);
  cache.deleteNode(bootId);
  assert.equal(cache.size, 0);
});

test("holds as many as allowed; one more costs the oldest node", () => {
  const cache = new NegativeCache({ entriesMax: 4, lifeMs: 1_000 });
  const second = { bootId: testBootId(2), inode: 1020 };
  cache.set(key, miss, 5_000);
  cache.set(second, miss, 5_000);
  cache.set({ ...second, inode: 1061 }, miss, 5_000);
  cache.set({ ...second, inode: 1061 }, miss, 5_000);
  cache.set({ bootId: testBootId(3), inode: 5 }, { outcome: "unknown_node" }, 5_000);
  assert.equal(cache.size, 4);
  assert.equal(cache.get(key, 5_000), miss);
  cache.set({ ...second, inode: 1102 }, miss, 5_000);
  assert.equal(cache.size, 4);
  assert.equal(cache.get(key, 5_000), undefined);
  assert.equal(cache.get(second, 5_000), miss);
});
