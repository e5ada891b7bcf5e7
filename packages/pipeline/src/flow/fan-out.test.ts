import assert from "node:assert/strict";
import { test } from "node:test";
import { type Consumer, PermanentError, RetryableError } from "@inode-gateway/contract";
import {
  CapturingConsumer,
  CapturingLogger,
  createTestBatch,
  FakeClock,
  RecordingMeter,
  settle,
} from "@inode-gateway/testkit";
import fc from "fast-check";
import { componentBugs } from "../accounting/metrics.js";
import { combineErrors } from "./combine-errors.js";
import { ComponentBugs } from "./component-bugs.js";
import { Edge } from "./edge.js";
import { FanOut, fanOut } from "./fan-out.js";
import { InternalError } from "./internal-error.js";
import { PartialDeliveries } from "./partial-deliveries.js";

const newPartial = () => new PartialDeliveries(new FakeClock());
const branch = (consumer: Consumer, name = "exporter") => ({ consumer, name });

function createBugs() {
  const logger = new CapturingLogger();
  const meter = new RecordingMeter();
  const labels = { component_kind: "exporter", component_id: "x" };
  const bugs = new ComponentBugs('exporter "x"', logger, meter.counter(componentBugs, labels));
  return { bugs, logger, count: () => meter.value(componentBugs.name, labels) };
}

test("a single branch is the consumer itself", () => {
  const only = new CapturingConsumer();
  assert.equal(fanOut([branch(only)], newPartial()), only);
  assert.ok(fanOut([branch(only), branch(only)], newPartial()) instanceof FanOut);
});

test("all branches get the same batch at the same time, and all are waited for", async () => {
  let release: () => void = () => assert.fail("the slow branch was not called");
  const slow = new CapturingConsumer(() => new Promise((resolve) => (release = resolve)));
  const failing = new CapturingConsumer(() => {
    throw new RetryableError("QUEUE_FULL", "full");
  });
  const fast = new CapturingConsumer();
  const split = new FanOut([branch(slow), branch(failing), branch(fast)], newPartial());
  const batch = createTestBatch({ itemCount: 3 });
  let isSettled = false;
  const answer = split.consume(batch).finally(() => {
    isSettled = true;
  });
  answer.catch(() => undefined);
  await settle();
  for (const { offered } of [slow, failing, fast]) assert.deepEqual(offered, [batch]);
  assert.equal(isSettled, false, "the failure of one waits for the others");
  assert.equal(split.inFlight, 3);
  release();
  await assert.rejects(answer, { code: "QUEUE_FULL" });
  assert.equal(split.inFlight, 0);
  assert.deepEqual(
    [0, 1, 2].map((index) => split.deliveredButRefused(index)),
    [3, 0, 3],
  );
});

test("a branch that throws instead of rejecting does not keep the others from their batch", async () => {
  const throwing: Consumer = {
    consume: () => {
      throw new PermanentError("BATCH_MALFORMED", "bad");
    },
  };
  const other = new CapturingConsumer();
  const split = new FanOut([branch(throwing), branch(other)], newPartial());
  await assert.rejects(split.consume(createTestBatch()), { code: "BATCH_MALFORMED" });
  assert.equal(other.batches.length, 1);
});

test("one failure is passed on as it is", () => {
  const error = new PermanentError("BATCH_TOO_LARGE", "x");
  assert.equal(combineErrors([{ branch: "a", error }]), error);
});

test("retryable wins over a bug, a bug over permanent; the longest wait counts", () => {
  const permanent = new PermanentError("BACKEND_REJECTED", "no", {
    backendStatus: { grpcCode: 3, message: "no" },
  });
  const bug = new InternalError("bug");
  const soon = new RetryableError("QUEUE_FULL", "full", { retryAfterMs: 1_000 });
  const late = new RetryableError("BACKEND_UNAVAILABLE", "away", { retryAfterMs: 5_000 });
  const unknown = new RetryableError("MEMORY_LIMITED", "limit");
  const combine = (...errors: unknown[]) =>
    combineErrors(errors.map((error, index) => ({ branch: `b${index}`, error })));

  const both = combine(permanent, soon, bug, late, unknown);
  assert.ok(both instanceof RetryableError);
  assert.equal(both.code, "QUEUE_FULL", "the first branch's");
  assert.equal(both.retryAfterMs, 5_000);
  assert.equal(both.message, "b0: no; b1: full; b2: bug; b3: away; b4: limit");
  const unhinted = combine(permanent, unknown);
  assert.ok(unhinted instanceof RetryableError && unhinted.retryAfterMs === undefined);
  assert.equal(combine(permanent, bug), bug);
  const refused = combine(permanent, permanent);
  assert.ok(refused instanceof PermanentError);
  assert.deepEqual(refused.backendStatus, { grpcCode: 3, message: "no" });
});

// Guarantees: the answer depends on what the branches answer, not on which of them is faster.
test("the answer does not depend on the order in time", async () => {
  const outcome = fc.constantFrom("ok", "retryable", "permanent", "bug");
  const branches = fc.array(fc.record({ outcome, turns: fc.nat(3) }), {
    minLength: 2,
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(branches, async (plan) => {
      const answerOf = async (turns: readonly number[]) => {
        const consumers = plan.map(({ outcome: result }, index) => ({
          consume: async () => {
            for (let turn = 0; turn < (turns[index] ?? 0); turn++) await Promise.resolve();
            if (result === "retryable") {
              throw new RetryableError("QUEUE_FULL", `${index}`, { retryAfterMs: index * 100 });
            }
            if (result === "permanent") throw new PermanentError("BACKEND_REJECTED", `${index}`);
            if (result === "bug") throw new InternalError(`${index}`);
          },
        }));
        const branches = consumers.map((consumer, index) => branch(consumer, `${index}`));
        const split = new FanOut(branches, newPartial());
        try {
          await split.consume(createTestBatch());
          return "ok";
        } catch (error) {
          const { name, message, retryAfterMs } = error as RetryableError;
          return `${name} ${message} ${retryAfterMs}`;
        }
      };
      const planned = plan.map(({ turns }) => turns);
      assert.equal(await answerOf(planned), await answerOf(planned.map((turns) => 3 - turns)));
    }),
    { numRuns: 200 },
  );
});

test("an edge counts offered, refused and in flight, and translates nothing but bugs", async () => {
  const { bugs, count, logger } = createBugs();
  const target = new CapturingConsumer();
  const edge = new Edge(target, bugs);
  await edge.consume(createTestBatch({ itemCount: 2 }));
  const refusal = new RetryableError("QUEUE_FULL", "full");
  target.respond = () => Promise.reject(refusal);
  await assert.rejects(
    edge.consume(createTestBatch({ itemCount: 3 })),
    (error) => error === refusal,
  );
  assert.deepEqual([edge.offered, edge.accepted, edge.refused, edge.inFlight], [5, 2, 3, 0]);
  target.respond = () => new Promise(() => undefined);
  void edge.consume(createTestBatch({ itemCount: 7 }));
  assert.deepEqual([edge.offered, edge.accepted, edge.refused, edge.inFlight], [12, 2, 3, 7]);
  assert.equal(count(), 0);
  assert.deepEqual(logger.records, []);
});

test("a bug is counted every time, logged once with its stack, and caught at the first edge", async () => {
  const { bugs, count, logger } = createBugs();
  const outer = createBugs();
  const failure = new TypeError("x is not a function");
  const inner = new Edge(new CapturingConsumer(() => Promise.reject(failure)), bugs);
  const edge = new Edge(inner, outer.bugs);
  for (let round = 0; round < 3; round++) {
    await assert.rejects(edge.consume(createTestBatch()), (error) => {
      assert.ok(error instanceof InternalError);
      assert.equal(error.message, 'internal error in exporter "x"');
      assert.equal(error.cause, failure);
      return true;
    });
  }
  assert.equal(count(), 3);
  assert.equal(outer.count(), 0, "a component is not blamed for what stands behind it");
  assert.equal(logger.records.length, 1);
  assert.equal(logger.records[0]?.fields["error"], failure);
});

test("an edge passes a refusal beforehand on and counts it, without a batch only passes it on", () => {
  const { bugs, count } = createBugs();
  const refusal = new RetryableError("MEMORY_LIMITED", "limit");
  const target = new CapturingConsumer() as CapturingConsumer & Required<Consumer>;
  const edge = new Edge(target, bugs);
  assert.equal(edge.refusal(), undefined, "a consumer that never knows beforehand");
  target.refusal = () => refusal;
  assert.equal(edge.refusal(), refusal);
  assert.deepEqual([edge.offered, edge.refused], [0, 0]);
  assert.equal(edge.refusal(createTestBatch({ itemCount: 3 })), refusal);
  assert.deepEqual([edge.offered, edge.refused, edge.inFlight], [3, 3, 0]);
  target.refusal = () => {
    throw new TypeError("a bug");
  };
  assert.equal(edge.refusal(createTestBatch()), undefined, "a bug is not the sender's");
  assert.equal(count(), 1);
  assert.deepEqual(target.offered, []);
});
