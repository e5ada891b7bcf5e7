import assert from "node:assert/strict";
import { test } from "node:test";
import { maxPendingChanges, PendingChanges } from "./pending-changes.js";

const change = (inode: number, containerId = "a") => ({
  mapping: { inode, record: { containerId, attributes: {} } },
  seenAtMs: 0,
});
const neverDropped = () => assert.fail("nothing is dropped");

test("a directory that came and went is published first and vanishes in a later batch", () => {
  const pending = new PendingChanges(neverDropped);
  pending.publish(change(5));
  pending.vanish({ inode: 5 });
  pending.vanish({ inode: 6 });
  assert.equal(pending.size, 3);
  const first = pending.take(10);
  assert.deepEqual(first.published, [change(5)]);
  assert.deepEqual(first.vanished, [{ inode: 6 }]);
  assert.deepEqual(pending.take(10), { published: [], vanished: [{ inode: 5 }] });
  assert.equal(pending.size, 0);
});

test("a removal waits as long as its publication does", () => {
  const pending = new PendingChanges(neverDropped);
  pending.publish(change(1));
  pending.publish(change(2));
  pending.vanish({ inode: 2 });
  assert.deepEqual(pending.take(1), { published: [change(1)], vanished: [] });
  assert.deepEqual(pending.take(1), { published: [change(2)], vanished: [] });
  assert.deepEqual(pending.take(1), { published: [], vanished: [{ inode: 2 }] });
});

test("a directory that came back does not vanish", () => {
  const pending = new PendingChanges(neverDropped);
  pending.vanish({ inode: 5, device: 1 });
  pending.vanish({ inode: 5, device: 2 });
  pending.publish({ ...change(5), mapping: { ...change(5).mapping, device: 1 } });
  assert.deepEqual(pending.take(10).vanished, [{ inode: 5, device: 2 }]);
});

test("what is put back gives way to what has changed since", () => {
  const pending = new PendingChanges(neverDropped);
  pending.publish(change(1, "old"));
  pending.vanish({ inode: 2 });
  pending.vanish({ inode: 3 });
  const batch = pending.take(10);
  pending.publish(change(1, "new"));
  pending.publish(change(2));
  pending.putBack(batch, (key) => key === "1" || key === "2");
  assert.deepEqual(pending.take(10), {
    published: [change(1, "new"), change(2)],
    vanished: [{ inode: 3 }],
  });
});

test("the last change within the limit is kept, one more drops the oldest and says so", () => {
  let dropped = 0;
  const pending = new PendingChanges(() => dropped++);
  for (let inode = 1; inode <= maxPendingChanges; inode++) pending.publish(change(inode));
  assert.equal(dropped, 0);
  pending.publish(change(maxPendingChanges + 1));
  assert.equal(dropped, 1);
  assert.equal(pending.size, maxPendingChanges);
  assert.equal(pending.take(1).published[0]?.mapping.inode, 2);
});
