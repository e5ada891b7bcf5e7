import assert from "node:assert/strict";
import { test } from "node:test";
import { type Consumer, PermanentError, RetryableError } from "@inode-gateway/contract";
import { CapturingConsumer, createTestBatch, createTestSettings } from "@inode-gateway/testkit";
import { forwardConnector } from "./factory.js";

function forwardTo(...consumers: readonly Consumer[]) {
  const outputs = new Map(consumers.map((consumer, index) => [`traces/${index}`, consumer]));
  const settings = createTestSettings({ kind: "connector", signal: "traces" });
  return forwardConnector.create(settings, forwardConnector.config.parse({}), outputs);
}

function failing(error: unknown): CapturingConsumer {
  return new CapturingConsumer(() => Promise.reject(error));
}

test("every pipeline gets the same batch", async () => {
  const consumers = [new CapturingConsumer(), new CapturingConsumer(), new CapturingConsumer()];
  const batch = createTestBatch({ itemCount: 2 });
  await forwardTo(...consumers).consume(batch);
  for (const { batches } of consumers) assert.deepEqual(batches, [batch]);
});

test("one pipeline's error is passed on as it is", async () => {
  const error = new PermanentError("BATCH_TOO_LARGE", "too large");
  const other = new CapturingConsumer();
  const isSame = (thrown: unknown) => thrown === error;
  await assert.rejects(forwardTo(failing(error)).consume(createTestBatch()), isSame);
  await assert.rejects(forwardTo(failing(error), other).consume(createTestBatch()), isSame);
  assert.equal(other.itemCount, 1, "the others get their batch all the same");
});

test("retryable wins over a bug, a bug over permanent; the longest wait counts", async () => {
  const permanent = new PermanentError("BACKEND_REJECTED", "no");
  const soon = new RetryableError("QUEUE_FULL", "full", { retryAfterMs: 1_000 });
  const late = new RetryableError("BACKEND_UNAVAILABLE", "away", { retryAfterMs: 5_000 });
  const bug = new TypeError("bug");
  const answer = (...errors: readonly unknown[]) =>
    forwardTo(...errors.map(failing)).consume(createTestBatch());
  await assert.rejects(answer(permanent, soon, bug, late), {
    name: "RetryableError",
    code: "QUEUE_FULL",
    retryAfterMs: 5_000,
    message:
      'pipeline "traces/0": no; pipeline "traces/1": full; pipeline "traces/2": bug; pipeline "traces/3": away',
  });
  await assert.rejects(answer(permanent, bug), (thrown) => thrown === bug);
  await assert.rejects(answer(permanent, permanent), {
    name: "PermanentError",
    code: "BACKEND_REJECTED",
  });
});

test("what one pipeline refuses beforehand, none gets", async () => {
  const refusal = new RetryableError("QUEUE_FULL", "full");
  const healthy = new CapturingConsumer();
  const full: Consumer = { consume: () => assert.fail("was asked"), refusal: () => refusal };
  const forward = forwardTo(healthy, full);
  assert.equal(forward.refusal?.(createTestBatch()), refusal);
  await assert.rejects(forward.consume(createTestBatch()), (thrown) => thrown === refusal);
  assert.equal(healthy.offered.length, 0);
  assert.equal(forwardTo(healthy).refusal?.(), undefined);
});
