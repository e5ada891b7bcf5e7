import assert from "node:assert/strict";
import { test } from "node:test";
import { DROP_REASONS_MAX, Tally } from "./tally.js";

test("keeps what is held and what was dropped for which reason", () => {
  const reasons: string[] = [];
  const tally = new Tally((reason) => reasons.push(reason));
  tally.held(10);
  tally.released(3);
  tally.dropped(2, "shutdown");
  tally.dropped(1, "shutdown");
  tally.dropped(5, "filtered");
  assert.equal(tally.heldItems, 7);
  assert.equal(tally.droppedItems, 8);
  assert.deepEqual(Object.fromEntries(tally.dropReasons), { shutdown: 3, filtered: 5 });
  assert.deepEqual(reasons, ["shutdown", "filtered"]);
});

test("the last own reason is kept, one more is counted as other", () => {
  const tally = new Tally();
  for (let index = 0; index < DROP_REASONS_MAX - 1; index++) tally.dropped(1, `reason_${index}`);
  assert.equal(tally.droppedFor(`reason_${DROP_REASONS_MAX - 2}`), 1);
  tally.dropped(1, "one_more");
  tally.dropped(1, "and_another");
  assert.equal(tally.droppedFor("other"), 2);
  assert.equal(tally.dropReasons.size, DROP_REASONS_MAX);
});

test("an abandoned component's items are dropped, and it is not heard any more", () => {
  const tally = new Tally();
  tally.held(4);
  assert.equal(tally.abandon("shutdown"), 4);
  tally.released(4);
  tally.held(1);
  tally.dropped(1, "late");
  assert.equal(tally.abandon("shutdown"), 0);
  assert.deepEqual([tally.heldItems, tally.droppedItems, tally.droppedFor("shutdown")], [0, 4, 4]);
});
