import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type Consumer, PermanentError, RetryableError } from "@inode-gateway/contract";
import { CapturingConsumer, createTestBatch, FakeClock } from "@inode-gateway/testkit";
import { FanOut } from "./fan-out.js";
import {
  PARTIAL_DELIVERIES_MAX,
  PARTIAL_DELIVERY_MS,
  PartialDeliveries,
} from "./partial-deliveries.js";

const full = () => new RetryableError("QUEUE_FULL", "full", { retryAfterMs: 1_000 });

/** A fan-out to two branches; the first is healthy, the second does what a test says. */
function createSplit() {
  const clock = new FakeClock();
  const healthy = new CapturingConsumer() as CapturingConsumer & Required<Consumer>;
  const failing = new CapturingConsumer() as CapturingConsumer & Required<Consumer>;
  const branches = [
    { consumer: healthy, name: "healthy" },
    { consumer: failing, name: "failing" },
  ];
  return { clock, failing, healthy, split: new FanOut(branches, new PartialDeliveries(clock)) };
}

const fail = () => Promise.reject(full());

suite("a branch that refuses beforehand", () => {
  test("keeps a batch from all branches, with one combined error", async () => {
    const { failing, healthy, split } = createSplit();
    failing.refusal = full;
    await assert.rejects(split.consume(createTestBatch()), { code: "QUEUE_FULL" });
    healthy.refusal = () => new PermanentError("BATCH_TOO_LARGE", "large");
    await assert.rejects(split.consume(createTestBatch()), {
      code: "QUEUE_FULL",
      message: "healthy: large; failing: full",
      retryAfterMs: 1_000,
    });
    assert.deepEqual([healthy.offered, failing.offered], [[], []]);
    assert.deepEqual([split.offered, split.inFlight, split.deliveredButRefused(0)], [2, 0, 0]);
  });

  test("is told to whoever asks the fan-out, with and without a batch", () => {
    const { failing, split } = createSplit();
    assert.equal(split.refusal(), undefined);
    failing.refusal = full;
    assert.equal(split.refusal()?.code, "QUEUE_FULL");
    assert.equal(split.offered, 0);
    assert.equal(split.refusal(createTestBatch({ itemCount: 4 }))?.code, "QUEUE_FULL");
    assert.equal(split.offered, 4);
  });
});

suite("a retry of the same bytes", () => {
  test("goes only to the branch that failed, as often as it fails", async () => {
    const { failing, healthy, split } = createSplit();
    failing.respond = fail;
    for (let round = 1; round <= 3; round++) {
      await assert.rejects(split.consume(createTestBatch({ itemCount: 3 })));
      assert.equal(healthy.itemCount, 3, "once, whatever the other does");
      assert.equal(split.deliveredButRefused(0), 3);
    }
    failing.refusal = full;
    await assert.rejects(split.consume(createTestBatch({ itemCount: 3 })));
    failing.refusal = () => undefined;
    failing.respond = () => undefined;
    await split.consume(createTestBatch({ itemCount: 3 }));
    assert.deepEqual([healthy.itemCount, failing.itemCount], [3, 3]);
    assert.deepEqual([split.deliveredButRefused(0), split.deliveredButRefused(1)], [0, 0]);
    await split.consume(createTestBatch({ itemCount: 3 }));
    assert.deepEqual([healthy.itemCount, failing.itemCount], [6, 6], "the next one goes to both");
  });

  test("is not looked for among the branch's own refusals", async () => {
    const { failing, healthy, split } = createSplit();
    failing.respond = fail;
    await assert.rejects(split.consume(createTestBatch()));
    failing.respond = () => undefined;
    // Whether the healthy one would take it does not matter: it has it.
    healthy.refusal = full;
    await split.consume(createTestBatch());
    assert.deepEqual([healthy.itemCount, failing.itemCount], [1, 1]);
  });

  test("is told apart by bytes, metadata and authenticated sender, not by peer", async () => {
    const { failing, healthy, split } = createSplit();
    const tenant = (name: string) => ({ metadata: new Map([["tenant", [name]]]) });
    failing.respond = fail;
    await assert.rejects(split.consume(createTestBatch({ origin: tenant("a") })));
    failing.respond = () => undefined;
    await split.consume(createTestBatch({ itemCount: 2, origin: tenant("a") }));
    await split.consume(createTestBatch({ origin: tenant("b") }));
    const auth = new Map([["username", "x"]]);
    await split.consume(createTestBatch({ origin: { ...tenant("a"), auth } }));
    assert.equal(healthy.batches.length, 4);
    await split.consume(createTestBatch({ origin: { ...tenant("a"), peer: "10.0.0.9:1" } }));
    assert.deepEqual([healthy.batches.length, failing.batches.length], [4, 4]);
  });

  test("of two equal batches that failed is recognized for each", async () => {
    const { failing, healthy, split } = createSplit();
    failing.respond = fail;
    await Promise.allSettled([split.consume(createTestBatch()), split.consume(createTestBatch())]);
    failing.respond = () => undefined;
    for (let round = 0; round < 3; round++) await split.consume(createTestBatch());
    assert.deepEqual([healthy.itemCount, failing.itemCount], [3, 3]);
  });

  test("is not expected of a batch that was refused for good", async () => {
    const { failing, healthy, split } = createSplit();
    failing.respond = () => Promise.reject(new PermanentError("BACKEND_REJECTED", "no"));
    await assert.rejects(split.consume(createTestBatch()));
    await assert.rejects(split.consume(createTestBatch()));
    assert.equal(healthy.itemCount, 2);
  });

  test("is recognized until its time is over, and not one moment longer", async () => {
    const { clock, failing, healthy, split } = createSplit();
    const failOnce = async () => {
      failing.respond = fail;
      await assert.rejects(split.consume(createTestBatch()));
      failing.respond = () => undefined;
    };
    await failOnce();
    clock.advance(PARTIAL_DELIVERY_MS - 1);
    await split.consume(createTestBatch());
    assert.equal(healthy.itemCount, 1);
    await failOnce();
    clock.advance(PARTIAL_DELIVERY_MS);
    await split.consume(createTestBatch());
    assert.equal(healthy.itemCount, 3);
  });
});

test("the last of its number is remembered; one more, and the oldest is forgotten", () => {
  const partial = new PartialDeliveries(new FakeClock());
  const batchOf = (name: number) =>
    createTestBatch({ origin: { metadata: new Map([["name", [`${name}`]]]) } });
  for (let name = 0; name < PARTIAL_DELIVERIES_MAX; name++) {
    partial.remember(batchOf(name), new Set([`b${name % 2}`]));
  }
  assert.deepEqual(partial.take(batchOf(0)), new Set(["b0"]));
  partial.remember(batchOf(0), new Set(["b0"]));
  partial.remember(batchOf(PARTIAL_DELIVERIES_MAX), new Set(["b1"]));
  assert.equal(partial.size, PARTIAL_DELIVERIES_MAX);
  assert.equal(partial.take(batchOf(1)), undefined);
  assert.deepEqual(partial.take(batchOf(2)), new Set(["b0"]));
});
