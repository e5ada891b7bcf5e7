import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { RetryableError, type Tracer } from "@inode-gateway/contract";
import { CapturingConsumer, createTestBatch } from "@inode-gateway/testkit";
import { traced } from "./traced-consumer.js";

function createTracer(isFollowed: boolean) {
  const ended: unknown[] = [];
  const tracer: Tracer = {
    received: () => (isFollowed ? (error) => ended.push(error) : undefined),
    sending: () => undefined,
  };
  return { ended, tracer };
}

suite("a traced way into the pipelines", () => {
  test("is the way itself while nothing is traced", () => {
    const target = new CapturingConsumer();
    assert.equal(traced(target, "otlp", undefined), target);
  });

  test("ends the span with the answer of the pipelines, which the receiver gets as it is", async () => {
    const refusal = new RetryableError("QUEUE_FULL", "full");
    for (const answer of [undefined, refusal]) {
      const { ended, tracer } = createTracer(true);
      const target = new CapturingConsumer(async () => {
        if (answer !== undefined) throw answer;
      });
      const consumed = traced(target, "otlp", tracer).consume(createTestBatch());
      const got = await consumed.catch((error: unknown) => error);
      assert.equal(got, answer);
      assert.deepEqual(ended, [answer]);
    }
  });

  test("passes on what is not followed, and what is refused beforehand", async () => {
    const { ended, tracer } = createTracer(false);
    const refusal = new RetryableError("QUEUE_FULL", "full");
    const target = new CapturingConsumer();
    const consumer = traced(Object.assign(target, { refusal: () => refusal }), "otlp", tracer);
    await consumer.consume(createTestBatch());
    assert.equal(target.batches.length, 1);
    assert.deepEqual(ended, []);
    assert.equal(consumer.refusal?.(), refusal);
  });
});
