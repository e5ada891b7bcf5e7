import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, settle } from "@inode-gateway/testkit";
import { BAD_LASTS_MS, GOOD_LASTS_MS, KnownOutcomes, OUTCOMES_MAX } from "./known-outcomes.js";
import { PENDING_MAX, PENDING_PER_USER_MAX, VerificationQueue } from "./verification-queue.js";

const stored = { form: "bcrypt", text: "" } as const;

/** A queue whose checks end when the test says so. */
function makeQueue() {
  const asked: string[] = [];
  let end: ((isMatch: boolean) => void) | undefined;
  let running = 0;
  const queue = new VerificationQueue((password) => {
    asked.push(password);
    running++;
    assert.equal(running, 1, "one at a time");
    return new Promise((resolve) => {
      end = (isMatch) => {
        running--;
        resolve(isMatch);
      };
    });
  });
  const endOne = async (isMatch = false) => {
    end?.(isMatch);
    await settle();
  };
  return { queue, asked, endOne };
}

test("who guesses one user's password delays another by one check", async () => {
  const { asked, endOne, queue } = makeQueue();
  for (let guess = 0; guess < 5; guess++) void queue.add("ann", `guess-${guess}`, stored);
  const bob = queue.add("bob", "right", stored);
  await endOne();
  await endOne();
  assert.deepEqual(asked.slice(0, 3), ["guess-0", "guess-1", "right"]);
  await endOne(true);
  assert.equal(await bob, true);
});

test("takes the last check that fits and refuses the next, of a user and of all", () => {
  const { queue } = makeQueue();
  // The first is under way and waits no more.
  assert.ok(queue.add("first", "x", stored));
  for (let count = 0; count < PENDING_PER_USER_MAX; count++) {
    assert.ok(queue.add("ann", `${count}`, stored));
  }
  assert.equal(queue.add("ann", "one too many", stored), undefined);
  for (let count = PENDING_PER_USER_MAX; count < PENDING_MAX; count++) {
    assert.ok(queue.add(`user-${count}`, "x", stored));
  }
  assert.equal(queue.add("last", "one too many", stored), undefined);
});

test("a check that fails ends with its error, and the next begins", async () => {
  let count = 0;
  const queue = new VerificationQueue(() => {
    count++;
    return count === 1 ? Promise.reject(new Error("thread failed")) : Promise.resolve(true);
  });
  const failed = queue.add("ann", "x", stored);
  const next = queue.add("bob", "x", stored);
  await assert.rejects(failed ?? assert.fail(), { message: "thread failed" });
  assert.equal(await next, true);
});

test("clearing ends all that wait", async () => {
  const { endOne, queue } = makeQueue();
  void queue.add("ann", "under way", stored);
  const waiting = queue.add("ann", "waiting", stored) ?? assert.fail();
  const ended = assert.rejects(waiting, { message: "stopping" });
  queue.clear(new Error("stopping"));
  await ended;
  await endOne();
});

test("good outcomes last 10 minutes after their last use, bad ones one minute", () => {
  const clock = new FakeClock();
  const known = new KnownOutcomes(clock);
  known.set("good", true);
  known.set("bad", false);
  clock.advance(BAD_LASTS_MS - 1);
  assert.equal(known.get("bad"), false);
  clock.advance(1);
  assert.equal(known.get("bad"), undefined);
  assert.equal(known.get("good"), true);
  clock.advance(GOOD_LASTS_MS - 1);
  assert.equal(known.get("good"), true, "it was used in between");
  clock.advance(GOOD_LASTS_MS);
  assert.equal(known.get("good"), undefined);
});

test("a flood of guesses pushes out guesses, never who is known", () => {
  const known = new KnownOutcomes(new FakeClock());
  known.set("good", true);
  for (let guess = 0; guess <= OUTCOMES_MAX; guess++) known.set(`guess-${guess}`, false);
  assert.equal(known.get("good"), true);
  assert.equal(known.get("guess-0"), undefined);
  assert.equal(known.get("guess-1"), false);
});
