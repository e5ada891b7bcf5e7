import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { PermanentError, RetryableError } from "@inode-gateway/contract";
import { createTestBatch, FakeClock } from "@inode-gateway/testkit";
import { retryOnFailure } from "./config.js";
import { Retry } from "./retry.js";

const batch = createTestBatch();
const never = Number.POSITIVE_INFINITY;

/** A retry whose attempts end as `outcomes` say, in turn; the last one repeats. */
function scenario(config: object, ...outcomes: (unknown | "ok")[]) {
  const clock = new FakeClock();
  const startMs = clock.nowMs();
  const attemptsMs: number[] = [];
  const next = {
    deliver: async () => {
      const outcome = outcomes[Math.min(attemptsMs.length, outcomes.length - 1)];
      attemptsMs.push(clock.nowMs() - startMs);
      if (outcome !== "ok") throw outcome;
      return "delivered";
    },
  };
  const parsed = retryOnFailure().parse({ randomization_factor: 0, ...config });
  return { attemptsMs, clock, retry: new Retry(clock, () => 0.5, parsed, next) };
}

const away = new RetryableError("BACKEND_UNAVAILABLE", "away");

suite("Retry", () => {
  test("waits 5 s, 7.5 s, 11.25 s, ... up to 30 s, as the Collector does", async () => {
    const outcomes = [...Array.from({ length: 8 }, () => away), "ok"];
    const { attemptsMs, clock, retry } = scenario({}, ...outcomes);
    const delivering = retry.deliver(batch, never);
    await clock.advanceAndSettle(300_000);
    assert.equal(await delivering, "delivered");
    const waits = attemptsMs.slice(1).map((at, index) => at - (attemptsMs[index] ?? 0));
    assert.deepEqual(waits, [5000, 7500, 11_250, 16_875, 25_312.5, 30_000, 30_000, 30_000]);
  });

  test("makes a wait longer or shorter by randomization_factor at most", async () => {
    for (const [random, expectedMs] of [
      [0, 2_500],
      [0.5, 5_000],
      [1, 7_500],
    ] as const) {
      const clock = new FakeClock();
      const attemptsMs: number[] = [];
      const next = {
        deliver: async () => {
          attemptsMs.push(clock.nowMs());
          if (attemptsMs.length === 1) throw away;
        },
      };
      const retry = new Retry(clock, () => random, retryOnFailure().parse({}), next);
      const delivering = retry.deliver(batch, never);
      await clock.advanceAndSettle(10_000);
      await delivering;
      assert.equal((attemptsMs[1] ?? 0) - (attemptsMs[0] ?? 0), expectedMs);
    }
  });

  test("waits at least as long as the destination asked for", async () => {
    const busy = new RetryableError("BACKEND_UNAVAILABLE", "busy", { retryAfterMs: 12_000 });
    const { attemptsMs, clock, retry } = scenario({}, busy, "ok");
    const delivering = retry.deliver(batch, never);
    await clock.advanceAndSettle(12_000);
    await delivering;
    assert.deepEqual(attemptsMs, [0, 12_000]);
  });

  test("does not begin a wait that ends after max_elapsed_time", async () => {
    const last = scenario({ max_elapsed_time: "5s" }, away, "ok");
    const delivering = last.retry.deliver(batch, never);
    await last.clock.advanceAndSettle(5_000);
    assert.equal(await delivering, "delivered", "a wait that ends with it is the last one begun");
    const over = scenario({ max_elapsed_time: "4999ms" }, away);
    await assert.rejects(over.retry.deliver(batch, never), (error: RetryableError) => {
      assert.equal(error.code, "BACKEND_UNAVAILABLE");
      assert.equal(error.message, "no more retries left within `max_elapsed_time` 4.999s: away");
      assert.equal(error.cause, away);
      return true;
    });
    assert.deepEqual(over.attemptsMs, [0]);
  });

  test("never gives up with max_elapsed_time 0s", async () => {
    const { attemptsMs, clock, retry } = scenario({ max_elapsed_time: "0s" }, away);
    const delivering = retry.deliver(batch, never);
    delivering.catch(() => undefined);
    await clock.advanceAndSettle(3_600_000);
    assert.ok(attemptsMs.length > 100);
    retry.stop();
    await assert.rejects(delivering, away);
  });

  test("does not wait past the deadline of whoever waits", async () => {
    const { attemptsMs, clock, retry } = scenario({}, away);
    await assert.rejects(retry.deliver(batch, clock.nowMs() + 4_999), away);
    assert.deepEqual(attemptsMs, [0]);
  });

  test("leaves permanent errors and bugs alone", async () => {
    for (const error of [new PermanentError("BACKEND_REJECTED", "no"), new TypeError("bug")]) {
      const { attemptsMs, retry } = scenario({}, error);
      await assert.rejects(retry.deliver(batch, never), error);
      assert.equal(attemptsMs.length, 1);
    }
  });

  test("ends all waits when stopped, and tries once from then on", async () => {
    const { attemptsMs, clock, retry } = scenario({}, away);
    const delivering = [retry.deliver(batch, never), retry.deliver(batch, never)];
    const outcomes = Promise.allSettled(delivering);
    await clock.advanceAndSettle(1);
    retry.stop();
    for (const outcome of await outcomes) assert.equal(outcome.status, "rejected");
    assert.equal(clock.pendingTimers, 0);
    await assert.rejects(retry.deliver(batch, never), away);
    assert.equal(attemptsMs.length, 3);
  });
});
