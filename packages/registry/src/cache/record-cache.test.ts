import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom, testBootId } from "@inode-gateway/testkit";
import type { ContainerRecord, InodeKey } from "../container-registry.js";
import { generationsPerLife } from "./cache-segment.js";
import { RecordCache } from "./record-cache.js";

const bootId = testBootId(1);

function record(name: string, pod = "web-0"): ContainerRecord {
  return { containerId: name, attributes: { "k8s.pod.name": pod } };
}

test("finds what was stored under exactly the same key", () => {
  const cache = new RecordCache(100);
  cache.set({ bootId, inode: 1020 }, record("a"));
  cache.set({ bootId, inode: 1020, device: 38 }, record("b"));
  cache.set({ bootId, inode: 2 ** 32 + 1020 }, record("c"));
  cache.set({ bootId, inode: Number.MAX_SAFE_INTEGER }, record("d"));
  const at = (key: InodeKey) => cache.get(key)?.containerId;
  assert.equal(at({ bootId, inode: 1020 }), "a");
  assert.equal(at({ bootId, inode: 1020, device: 38 }), "b");
  assert.equal(at({ bootId, inode: 2 ** 32 + 1020 }), "c");
  assert.equal(at({ bootId, inode: Number.MAX_SAFE_INTEGER }), "d");
  assert.equal(at({ bootId, inode: 1020, device: 39 }), undefined);
  assert.equal(at({ bootId: testBootId(2), inode: 1020 }), undefined);
  for (const inode of [1020.5, -1020, 2 ** 53 + 1020, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.equal(at({ bootId, inode }), undefined, `${inode}`);
  }
});

test("holds as many entries as allowed and not one more", () => {
  const cache = new RecordCache(500);
  for (let inode = 1000; inode < 1500; inode++) cache.set({ bootId, inode }, record(`${inode}`));
  assert.equal(cache.size, 500);
  for (let inode = 1000; inode < 1500; inode++) assert.ok(cache.get({ bootId, inode }), `${inode}`);
  cache.set({ bootId, inode: 1500 }, record("1500"));
  assert.equal(cache.size, 500);
  assert.equal(cache.get({ bootId, inode: 1500 })?.containerId, "1500");
});

// Scenario: 500 entries, a tenth of which is read again and again while 5,000 others come by.
test("keeps what is read and gives up what is not", () => {
  const cache = new RecordCache(500);
  for (let inode = 1000; inode < 1500; inode++) cache.set({ bootId, inode }, record(`${inode}`));
  for (let inode = 10_000; inode < 15_000; inode++) {
    for (let hot = 1000; hot < 1050; hot++) cache.get({ bootId, inode: hot });
    cache.set({ bootId, inode }, record(`${inode}`));
  }
  for (let hot = 1000; hot < 1050; hot++) assert.ok(cache.get({ bootId, inode: hot }), `${hot}`);
  assert.equal(cache.get({ bootId, inode: 1200 }), undefined);
});

test("an entry lives for eight generations, however often it is read", () => {
  const cache = new RecordCache(10);
  cache.set({ bootId, inode: 1020 }, record("a"));
  for (let generation = 1; generation < generationsPerLife; generation++) {
    cache.age();
    assert.ok(cache.get({ bootId, inode: 1020 }), `generation ${generation}`);
  }
  cache.age();
  assert.equal(cache.get({ bootId, inode: 1020 }), undefined);
  cache.set({ bootId, inode: 1020 }, record("a"));
  assert.ok(cache.get({ bootId, inode: 1020 }));
});

test("inodes of one container share one record as long as it says the same", () => {
  const cache = new RecordCache(10);
  cache.set({ bootId, inode: 1020 }, record("a"));
  cache.set({ bootId, inode: 1061 }, record("a"));
  assert.equal(cache.get({ bootId, inode: 1020 }), cache.get({ bootId, inode: 1061 }));
  cache.set({ bootId, inode: 1061 }, record("a", "after"));
  cache.set({ bootId, inode: 1102 }, record("a", "after"));
  assert.equal(cache.get({ bootId, inode: 1061 }), cache.get({ bootId, inode: 1102 }));
  assert.equal(cache.get({ bootId, inode: 1061 })?.attributes["k8s.pod.name"], "after");
  cache.set({ bootId: testBootId(2), inode: 1020 }, record("a", "elsewhere"));
  assert.equal(cache.get({ bootId, inode: 1061 })?.attributes["k8s.pod.name"], "after");
});

test("forgets an inode with all its devices, or a node with all its inodes", () => {
  const cache = new RecordCache(10);
  for (const device of [38, 32]) cache.set({ bootId, inode: 1020, device }, record("a"));
  cache.set({ bootId, inode: 1020 }, record("a"));
  cache.set({ bootId, inode: 1061 }, record("b"));
  cache.deleteInode(bootId, 1020);
  for (const device of [undefined, 38, 32]) {
    assert.equal(cache.get({ bootId, inode: 1020, device }), undefined);
  }
  assert.ok(cache.get({ bootId, inode: 1061 }));
  cache.deleteNode(bootId);
  assert.equal(cache.get({ bootId, inode: 1061 }), undefined);
  cache.set({ bootId, inode: 1061 }, record("c"));
  assert.equal(cache.get({ bootId, inode: 1061 })?.containerId, "c");
  cache.deleteInode(testBootId(9), 1061);
});

test("refuses a size that is no size", () => {
  for (const size of [0, -1, 1.5, Number.NaN]) {
    assert.throws(() => new RecordCache(size), {
      name: "RangeError",
      message: `cache of ${size} entries, it must be an integer above 0`,
    });
  }
  const cache = new RecordCache(1);
  cache.set({ bootId, inode: 1020 }, record("a"));
  cache.set({ bootId, inode: 1061 }, record("b"));
  assert.equal(cache.size, 1);
});

// Scenario: 40,000 random steps on three nodes, small inodes so that probes collide and removals
// have entries to move; what is read must be what was stored last, or nothing where evicted.
test("agrees with a Map through any sequence of storing, removing and evicting", () => {
  const random = seededRandom(7);
  for (const entriesMax of [50, 100_000]) {
    const cache = new RecordCache(entriesMax);
    const model = new Map<string, string>();
    let hits = 0;
    for (let step = 0; step < 20_000; step++) {
      const key = {
        bootId: testBootId(Math.floor(random() * 3)),
        inode: Math.floor(random() * 300),
      };
      const id = `${key.bootId} ${key.inode}`;
      const choice = random();
      if (choice < 0.4) {
        cache.set(key, record(`${step}`));
        model.set(id, `${step}`);
      } else if (choice < 0.6) {
        cache.delete(key);
        model.delete(id);
      } else {
        const found = cache.get(key)?.containerId;
        if (found !== undefined) hits++;
        if (found !== undefined || entriesMax > 900) assert.equal(found, model.get(id), id);
      }
      assert.ok(cache.size <= entriesMax);
    }
    assert.ok(hits > 300, `${hits} hits`);
    if (entriesMax > 900) assert.equal(cache.size, model.size);
  }
});
