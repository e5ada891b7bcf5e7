import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  type Batch,
  isDeliveryError,
  PermanentError,
  RetryableError,
} from "@inode-gateway/contract";
import { createTestBatch, createTestSettings, settle, TestHost } from "@inode-gateway/testkit";
import { sendingQueue } from "./config.js";
import { Losses } from "./losses.js";
import { BLOCK_MS_MAX } from "./queue-room.js";
import { SendingQueue } from "./sending-queue.js";

const never = Number.POSITIVE_INFINITY;
const away = new RetryableError("BACKEND_UNAVAILABLE", "away");

const taken = { deliveredItems: 1, partial: undefined, refused: [] };

/** A queue whose deliveries wait until the test ends them. */
async function scenario(config: object) {
  const settings = createTestSettings({ id: "otlp_grpc", kind: "exporter", signal: "traces" });
  const running: { batch: Batch; end: (error?: unknown) => void }[] = [];
  let concurrent = 0;
  let concurrentMax = 0;
  const next = {
    deliver: async (batch: Batch) => {
      concurrentMax = Math.max(concurrentMax, ++concurrent);
      try {
        const error = await new Promise<unknown>((resolve) => {
          running.push({ batch, end: resolve });
        });
        if (error === undefined) return taken;
        if (!isDeliveryError(error)) throw error;
        const { itemCount: items, origin } = batch;
        const refused = [{ items, error, peer: origin.peer, member: batch }];
        return { deliveredItems: 0, partial: undefined, refused };
      } finally {
        concurrent--;
      }
    },
  };
  const parsed = sendingQueue().parse(config);
  const queue = new SendingQueue(settings, "traces", parsed, next, new Losses(settings));
  await queue.start(new TestHost());
  const labels = { exporter: "otlp_grpc", data_type: "traces" };
  return {
    queue,
    running,
    settings,
    size: () => settings.meter.value("otelcol_exporter_queue_size", labels),
    concurrentMax: () => concurrentMax,
  };
}

suite("SendingQueue", () => {
  test("acknowledges what it queued and holds it on the ledger until it is delivered", async () => {
    const { queue, running, settings, size } = await scenario({});
    await queue.deliver(createTestBatch({ itemCount: 7 }), never);
    assert.equal(settings.ledger.heldItems, 7);
    assert.equal(size(), 1);
    running[0]?.end();
    await settle();
    assert.equal(settings.ledger.heldItems, 0);
    assert.equal(settings.ledger.droppedItems(), 0);
    assert.equal(size(), 0);
  });

  test("delivers in order, num_consumers at the same time", async () => {
    const { concurrentMax, queue, running } = await scenario({ num_consumers: 2 });
    const batches = Array.from({ length: 5 }, () => createTestBatch());
    for (const batch of batches) await queue.deliver(batch, never);
    for (let index = 0; index < batches.length; index++) {
      assert.equal(running[index]?.batch, batches[index]);
      running[index]?.end();
      await settle();
    }
    assert.equal(concurrentMax(), 2);
  });

  for (const [sizer, itemCount, byteLength] of [
    ["requests", 1, undefined],
    ["items", 100, undefined],
    ["bytes", 10, createTestBatch({ itemCount: 10 }).byteLength],
  ] as const) {
    test(`takes the last batch that fits and refuses the next, in ${sizer}`, async () => {
      const size = { requests: 1, items: itemCount, bytes: byteLength ?? 0 }[sizer];
      const { queue, running, settings } = await scenario({ sizer, queue_size: 2 * size });
      await queue.deliver(createTestBatch({ itemCount }), never);
      await queue.deliver(createTestBatch({ itemCount }), never);
      await assert.rejects(
        queue.deliver(createTestBatch({ itemCount }), never),
        (error: RetryableError) => {
          assert.equal(error.code, "QUEUE_FULL");
          assert.match(error.message, /^sending queue is full: \d+ .*`queue_size` is \d+$/);
          assert.ok((error.retryAfterMs ?? 0) >= 1_000);
          return true;
        },
      );
      assert.equal(settings.meter.sum("otelcol_exporter_enqueue_failed_spans"), itemCount);
      running[0]?.end();
      await settle();
      await queue.deliver(createTestBatch({ itemCount }), never);
    });
  }

  test("refuses for good what is larger than the whole queue", async () => {
    const { queue } = await scenario({ sizer: "items", queue_size: 10 });
    await queue.deliver(createTestBatch({ itemCount: 10 }), never);
    await assert.rejects(queue.deliver(createTestBatch({ itemCount: 11 }), never), {
      name: "PermanentError",
      code: "BATCH_TOO_LARGE",
      message: "element size too large: batch is 11 items, `queue_size` is 10",
    });
  });

  test("drops what fails in the end, with its reason, and says so", async () => {
    const { queue, running, settings } = await scenario({});
    await queue.deliver(createTestBatch({ itemCount: 3 }), never);
    await queue.deliver(createTestBatch({ itemCount: 4 }), never);
    running[0]?.end(new PermanentError("BACKEND_REJECTED", "no"));
    running[1]?.end(away);
    await settle();
    assert.deepEqual(settings.ledger.dropReasons, { backend_rejected: 3, retries_exhausted: 4 });
    assert.equal(settings.ledger.heldItems, 0);
    assert.deepEqual(settings.logger.messages("error"), ["Exporting failed. Dropping data."]);
  });

  test("accounts for a bug as for any loss and reports it", async () => {
    const { queue, running, settings } = await scenario({});
    const bug = new TypeError("bug");
    await queue.deliver(createTestBatch({ itemCount: 3 }), never);
    running[0]?.end(bug);
    await settings.backgroundSettled();
    assert.deepEqual(settings.ledger.dropReasons, { internal_error: 3 });
    assert.equal(settings.backgroundFailures[0]?.error, bug);
  });

  suite("with wait_for_result", () => {
    test("answers with the result, and nothing is held or dropped", async () => {
      const { queue, running, settings } = await scenario({ wait_for_result: true });
      const good = queue.deliver(createTestBatch(), never);
      const bad = queue.deliver(createTestBatch(), never);
      bad.catch(() => undefined);
      await settle();
      assert.equal(settings.ledger.heldItems, 0);
      running[0]?.end();
      running[1]?.end(away);
      await good;
      await assert.rejects(bad, away);
      assert.equal(settings.ledger.droppedItems(), 0);
      assert.equal(settings.backgroundFailures.length, 0);
    });
  });

  test("tells a sender that waits for its turn at its deadline", async () => {
    const queueOf = { wait_for_result: true, num_consumers: 1 };
    const { queue, running, settings, size } = await scenario(queueOf);
    const patient = queue.deliver(createTestBatch(), never);
    const waiting = queue.deliver(createTestBatch(), settings.clock.nowMs() + 1_000);
    const told = assert.rejects(waiting, { code: "DEADLINE_EXCEEDED" });
    await settings.clock.advanceAndSettle(1_000);
    await told;
    running[0]?.end();
    await patient;
    await settle();
    assert.equal(running.length, 1, "what nobody waits for is not sent");
    assert.equal(size(), 0);
  });

  suite("with block_on_overflow", () => {
    test("lets the sender wait for room", async () => {
      const { queue, running, size } = await scenario({ block_on_overflow: true, queue_size: 1 });
      await queue.deliver(createTestBatch(), never);
      let isQueued = false;
      const waiting = queue.deliver(createTestBatch(), never).then(() => {
        isQueued = true;
      });
      await settle();
      assert.equal(isQueued, false);
      running[0]?.end();
      await waiting;
      assert.equal(size(), 1);
    });

    // Scenario: a queue of 10 items is full; a request of 6, one of 4 and one of 1 wait; 6 are freed.
    // Guarantees: nobody who still has time is refused, nobody is overtaken, whoever gives up makes way.
    test("gives room in the order of coming, and refuses nobody who can wait", async () => {
      const { queue, running, settings, size } = await scenario({
        block_on_overflow: true,
        queue_size: 10,
        sizer: "items",
      });
      for (const itemCount of [5, 5]) await queue.deliver(createTestBatch({ itemCount }), never);
      const endings: string[] = [];
      const wait = (itemCount: number, waitMs = never) => {
        const deadlineMs = settings.clock.nowMs() + waitMs;
        queue.deliver(createTestBatch({ itemCount }), deadlineMs).then(
          () => endings.push(`${itemCount} in`),
          (error: RetryableError) => endings.push(`${itemCount} ${error.code}`),
        );
      };
      wait(6, 2_000);
      wait(4);
      wait(1);
      running[0]?.end();
      await settle();
      wait(2);
      await settle();
      assert.deepEqual(endings, [], "5 are free, but 6 come first");
      await settings.clock.advanceAndSettle(2_000);
      assert.deepEqual(endings, ["6 QUEUE_FULL", "4 in", "1 in"]);
      assert.equal(size(), 10);
      running[1]?.end();
      await settle();
      assert.equal(endings.at(-1), "2 in");
    });

    for (const [what, limitMs] of [
      ["its deadline", 3_000],
      ["a minute without one", BLOCK_MS_MAX],
    ] as const) {
      test(`refuses the sender after ${what}`, async () => {
        const { queue, settings } = await scenario({ block_on_overflow: true, queue_size: 1 });
        await queue.deliver(createTestBatch(), never);
        const deadlineMs = limitMs === BLOCK_MS_MAX ? never : settings.clock.nowMs() + limitMs;
        const outcomes: RetryableError[] = [];
        queue.deliver(createTestBatch(), deadlineMs).catch((error: RetryableError) => {
          outcomes.push(error);
        });
        await settings.clock.advanceAndSettle(limitMs - 1);
        assert.equal(outcomes.length, 0);
        await settings.clock.advanceAndSettle(1);
        assert.equal(outcomes[0]?.code, "QUEUE_FULL");
      });
    }
  });

  suite("when stopped", () => {
    test("delivers what is queued and takes nothing new", async () => {
      const { queue, running, settings } = await scenario({ num_consumers: 1 });
      await queue.deliver(createTestBatch(), never);
      await queue.deliver(createTestBatch(), never);
      const draining = queue.drain(settings.clock.nowMs() + 1_000);
      await assert.rejects(queue.deliver(createTestBatch(), never), { code: "SHUTTING_DOWN" });
      running[0]?.end();
      await settle();
      running[1]?.end();
      await draining;
      await queue.settle();
      assert.equal(settings.ledger.heldItems, 0);
      assert.equal(settings.ledger.droppedItems(), 0);
      assert.equal(settings.clock.pendingTimers, 0);
    });

    test("gives up at the deadline what never began, then what was cut off", async () => {
      const { queue, running, settings } = await scenario({ num_consumers: 1 });
      await queue.deliver(createTestBatch({ itemCount: 2 }), never);
      await queue.deliver(createTestBatch({ itemCount: 3 }), never);
      const draining = queue.drain(settings.clock.nowMs() + 1_000);
      await settings.clock.advanceAndSettle(1_000);
      await draining;
      assert.deepEqual(settings.ledger.dropReasons, { shutdown: 3 });
      const settling = queue.settle();
      running[0]?.end(away);
      await settling;
      assert.deepEqual(settings.ledger.dropReasons, { shutdown: 5 });
      assert.equal(settings.ledger.heldItems, 0);
    });

    test("wakes senders that wait for room", async () => {
      const { queue, settings } = await scenario({ block_on_overflow: true, queue_size: 1 });
      await queue.deliver(createTestBatch(), never);
      const waiting = queue.deliver(createTestBatch(), never);
      const outcome = assert.rejects(waiting, { code: "SHUTTING_DOWN" });
      const draining = queue.drain(settings.clock.nowMs());
      await outcome;
      await draining;
    });
  });
});
