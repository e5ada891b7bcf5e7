import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type Batch, RetryableError } from "@inode-gateway/contract";
import { countItems } from "@inode-gateway/otlp";
import { createTestBatch, settle } from "@inode-gateway/testkit";
import { OPEN_PARTITIONS_MAX } from "./batcher.js";
import { away, rejected, spans, spansOf, startExporter, tooLarge } from "./delivery.rig.js";

suite("sending_queue.batch", () => {
  test("sends what came within flush_timeout as one request, counted and measured", async () => {
    const rig = await startExporter({ queue: { batch: {} } });
    await rig.consume(spans(3));
    await rig.settings.clock.advanceAndSettle(150);
    await rig.consume(spans(4));
    await rig.settings.clock.advanceAndSettle(49);
    assert.deepEqual(rig.sizes(), []);
    assert.equal(rig.gauge("size"), 2);
    assert.equal(rig.ledger.heldItems, 7);
    assert.equal(rig.own("oldest_age_seconds"), 0.199);
    await rig.settings.clock.advanceAndSettle(1);
    assert.deepEqual(rig.sizes(), [7]);
    assert.equal(countItems("traces", rig.sends[0]?.batch.bytes ?? new Uint8Array()), 7);
    assert.equal(rig.gauge("size"), 2, "what is being sent is still in the queue");
    rig.sends[0]?.end();
    await settle();
    assert.equal(rig.gauge("size"), 0);
    assert.equal(rig.ledger.heldItems, 0);
    assert.ok(Math.abs((rig.own("drain_rate") ?? 0) - 2 / 5.2) < 1e-9);
    assert.equal(rig.own("oldest_age_seconds"), 0);
    assert.deepEqual(rig.recorded("enqueue_size"), [3, 4]);
    assert.deepEqual(rig.recorded("queue_batch_send_size"), [7]);
    const bytes = rig.sends[0]?.batch.byteLength;
    assert.deepEqual(rig.recorded("queue_batch_send_size_bytes"), [bytes]);
    assert.equal(rig.settings.clock.pendingTimers, 0);
  });

  test("sends at min_size, not one item before", async () => {
    const rig = await startExporter({ queue: { batch: { min_size: 10 } } });
    await rig.consume(spans(9));
    assert.deepEqual(rig.sizes(), []);
    await rig.consume(spans(1));
    assert.deepEqual(rig.sizes(), [10]);
  });

  test("measures in bytes when told, also by the queue's sizer", async () => {
    const size = spans(10).byteLength;
    for (const queue of [
      { batch: { min_size: 2 * size, sizer: "bytes" } },
      { sizer: "bytes", queue_size: 4 * size, batch: { min_size: 2 * size } },
    ] as const) {
      const rig = await startExporter({ queue });
      await rig.consume(spans(10));
      assert.deepEqual(rig.sizes(), []);
      await rig.consume(spans(10));
      assert.deepEqual(rig.sizes(), [20]);
    }
  });

  test("never goes beyond max_size: whole requests first, a larger one is split", async () => {
    const rig = await startExporter({ queue: { batch: { min_size: 10, max_size: 10 } } });
    await rig.consume(spans(6));
    await rig.consume(spans(5));
    assert.deepEqual(rig.sizes(), [6], "5 more would be 11");
    await rig.consume(spans(5));
    assert.deepEqual(rig.sizes(), [6, 10], "10 are as many as may be");
    await rig.consume(spans(21));
    assert.deepEqual(rig.sizes(), [6, 10, 10, 10, 1]);
    assert.equal(rig.gauge("size"), 4);
    for (const { end } of rig.sends) end();
    await settle();
    assert.equal(rig.gauge("size"), 0);
    assert.equal(rig.ledger.heldItems, 0);
  });

  test("max_size in bytes holds on the wire", async () => {
    const maxBytes = spans(10).byteLength;
    const batch = { min_size: 0, max_size: maxBytes, sizer: "bytes" } as const;
    const rig = await startExporter({ queue: { batch }, verdict: () => undefined });
    await rig.consume(spans(10));
    await rig.consume(spans(35));
    assert.equal(
      rig.sends.reduce((sum, { batch }) => sum + batch.itemCount, 0),
      45,
    );
    for (const { batch } of rig.sends) assert.ok(batch.byteLength <= maxBytes);
  });

  test("merges what piles up while all consumers are busy", async () => {
    const queue = { num_consumers: 1, batch: { min_size: 100 } };
    const rig = await startExporter({ queue });
    await rig.consume(spans(100));
    for (let index = 0; index < 25; index++) await rig.consume(spans(10));
    await rig.settings.clock.advanceAndSettle(10_000);
    assert.deepEqual(rig.sizes(), [100], "num_consumers bounds what is sent at the same time");
    for (const index of [0, 1, 2]) {
      rig.sends[index]?.end();
      await settle();
    }
    assert.deepEqual(
      rig.sizes(),
      [100, 100, 100, 50],
      "the last is due: it has waited long enough",
    );
  });

  test("never merges profiles", async () => {
    const rig = await startExporter({ queue: { batch: {} } });
    for (let index = 0; index < 2; index++) {
      await rig.consume(createTestBatch({ signal: "profiles", itemCount: 2 }));
    }
    await rig.settings.clock.advanceAndSettle(200);
    assert.deepEqual(rig.sizes(), [2, 2]);
  });

  test("merges only what has the same metadata, which stays with it", async () => {
    const partition = { metadata_keys: ["X-Tenant"] };
    const rig = await startExporter({ queue: { batch: { partition } } });
    for (const tenant of ["a", "b", "a"]) await rig.consume(spansOf(tenant));
    await rig.consume(spans(1));
    await rig.settings.clock.advanceAndSettle(200);
    assert.deepEqual(rig.sizes(), [2, 1, 1]);
    const tenants = rig.sends.map(({ batch }) => batch.origin.metadata.get("x-tenant"));
    assert.deepEqual(tenants, [["a"], ["b"], undefined]);
  });

  test("sends the oldest early when more partitions are open than may be", async () => {
    const partition = { metadata_keys: ["x-tenant"] };
    const rig = await startExporter({ queue: { queue_size: 5_000, batch: { partition } } });
    for (let index = 0; index < OPEN_PARTITIONS_MAX; index++) {
      void rig.exporter.consume(spansOf(`t${index}`));
    }
    await settle();
    assert.equal(rig.sends.length, 0);
    await rig.consume(spansOf("one more"));
    assert.deepEqual(
      rig.sends.map(({ batch }) => batch.origin.metadata.get("x-tenant")),
      [["t0"]],
    );
  });

  test("a rare partition is not overtaken without end by a busy one", async () => {
    const batch = { min_size: 2, partition: { metadata_keys: ["x-tenant"] } };
    const rig = await startExporter({ queue: { num_consumers: 1, batch } });
    await rig.consume(spansOf("rare"));
    await rig.consume(spansOf("busy", 2));
    for (let index = 0; index < 10; index++) await rig.consume(spansOf("busy", 2));
    await rig.settings.clock.advanceAndSettle(200);
    rig.sends[0]?.end();
    await settle();
    assert.deepEqual(rig.sends[1]?.batch.origin.metadata.get("x-tenant"), ["rare"]);
  });
});

suite("a merged batch that is refused", () => {
  test("costs only the guilty sender, who is named", async () => {
    const verdict = (batch: Batch) =>
      batch.mergedFrom.length > 0 || batch.itemCount === 3 ? rejected : undefined;
    const rig = await startExporter({ queue: { batch: { min_size: 9 } }, verdict });
    await rig.consume(spans(2));
    await rig.consume(spans(3, { peer: "10.0.0.7:1" }));
    await rig.consume(spans(4));
    assert.equal(rig.sum("sent"), 6);
    assert.equal(rig.sum("send_failed"), 3);
    assert.deepEqual(rig.ledger.dropReasons, { backend_rejected: 3 });
    assert.equal(rig.ledger.heldItems, 0);
    const line = rig.settings.logger.records.find(({ level }) => level === "error");
    assert.equal(line?.fields["peer"], "10.0.0.7:1");
    assert.equal(line?.fields["dropped_items"], 3);
  });

  test("as too large is halved between requests, then inside them", async () => {
    const verdict = (batch: Batch) => (batch.itemCount > 4 ? tooLarge : undefined);
    const rig = await startExporter({ queue: { batch: { min_size: 18 } }, verdict });
    for (const itemCount of [2, 2, 2, 2, 2, 8]) await rig.consume(spans(itemCount));
    assert.equal(rig.sum("sent"), 18);
    assert.deepEqual(
      rig.sizes().filter((size) => size <= 4),
      [4, 2, 4, 4, 4],
    );
    assert.equal(rig.ledger.droppedItems(), 0);
  });
});

suite("what a destination says of a merged batch", () => {
  // Scenario: a request is split; of the first part one item is rejected, the second part fails.
  // Guarantees: its sender, who comes again with all of it, is the only one who hears of it.
  test("what a destination rejects of a request that is sent again is not dropped", async () => {
    const rig = await startExporter({
      queue: { wait_for_result: true, batch: { min_size: 0, max_size: 2, sizer: "items" } },
      verdict: (batch) =>
        batch.itemCount === 2 ? { rejectedItems: 1, errorMessage: "one" } : away,
    });
    const ending = await rig.consume(spans(3));
    assert.equal(ending.error, away);
    assert.deepEqual(rig.ledger.dropReasons, {});
  });

  test("a partial success is counted once, and the rest as delivered", async () => {
    const verdict = () => ({ rejectedItems: 2, errorMessage: "too old" });
    const rig = await startExporter({ queue: { batch: { min_size: 9 } }, verdict });
    await rig.consume(spans(4));
    await rig.consume(spans(5));
    assert.equal(rig.sum("sent"), 7);
    assert.deepEqual(rig.ledger.dropReasons, { backend_partial_success: 2 });
    assert.equal(rig.ledger.heldItems, 0);
    assert.deepEqual(rig.settings.logger.messages("warn"), ["Partial success response"]);
  });

  test("a wait it asks for is kept, and then all of it is sent again", async () => {
    const throttled = new RetryableError("BACKEND_UNAVAILABLE", "429", { retryAfterMs: 60_000 });
    let answer: unknown = throttled;
    const rig = await startExporter({
      queue: { batch: { min_size: 9 } },
      retry: {},
      verdict: () => answer,
    });
    await rig.consume(spans(4));
    await rig.consume(spans(5));
    answer = undefined;
    await rig.settings.clock.advanceAndSettle(59_999);
    assert.deepEqual(rig.sizes(), [9]);
    await rig.settings.clock.advanceAndSettle(1);
    assert.deepEqual(rig.sizes(), [9, 9]);
    assert.equal(rig.sum("sent"), 9);
    assert.equal(rig.ledger.heldItems, 0);
  });
});

suite("sending_queue.batch with wait_for_result", () => {
  const queue = { wait_for_result: true, batch: { min_size: 9 } };

  test("tells every sender the fate of its own part", async () => {
    const verdict = (batch: Batch) => {
      if (batch.mergedFrom.length > 0) return rejected;
      return { 2: undefined, 3: rejected, 4: away }[batch.itemCount];
    };
    const rig = await startExporter({ queue, verdict });
    const endings = [await rig.consume(spans(2)), await rig.consume(spans(3))];
    assert.equal(endings[0]?.state, "waiting");
    endings.push(await rig.consume(spans(4)));
    assert.deepEqual(endings, [
      { state: "resolved", error: undefined },
      { state: "rejected", error: rejected },
      { state: "rejected", error: away },
    ]);
    assert.equal(rig.ledger.droppedItems(), 0, "everybody was told");
    assert.equal(rig.ledger.heldItems, 0);
    assert.equal(rig.gauge("size"), 0);
  });

  test("a split request is delivered when all its parts are", async () => {
    const rig = await startExporter({
      queue: { wait_for_result: true, batch: { min_size: 0, max_size: 2 } },
    });
    const ending = await rig.consume(spans(4));
    assert.deepEqual(rig.sizes(), [2, 2]);
    rig.sends[0]?.end();
    await settle();
    assert.equal(ending.state, "waiting");
    rig.sends[1]?.end(away);
    await settle();
    assert.equal(ending.error, away, "duplicates before losses");
  });

  test("what is refused for good inside a split request is lost beside what was taken", async () => {
    const rig = await startExporter({
      queue: { wait_for_result: true, batch: { min_size: 0, max_size: 2 } },
    });
    const ending = await rig.consume(spans(4));
    rig.sends[0]?.end(rejected);
    rig.sends[1]?.end();
    await settle();
    assert.equal(ending.state, "resolved");
    assert.deepEqual(rig.ledger.dropReasons, { backend_rejected: 2 });
  });

  test("answers at a sender's own deadline, though others wait longer", async () => {
    const rig = await startExporter({ queue });
    const nowMs = rig.settings.clock.nowMs();
    const hasty = await rig.consume(spans(2, { deadlineMs: nowMs + 1_000 }));
    const patient = await rig.consume(spans(7, { deadlineMs: nowMs + 5_000 }));
    assert.equal(rig.sends[0]?.deadlineMs, nowMs + 5_000);
    await rig.settings.clock.advanceAndSettle(999);
    assert.equal(hasty.state, "waiting");
    await rig.settings.clock.advanceAndSettle(1);
    assert.equal((hasty.error as { code: string }).code, "DEADLINE_EXCEEDED");
    rig.sends[0]?.end(rejected);
    await settle();
    for (const { end } of rig.sends.slice(1)) end(rejected);
    await settle();
    rig.sends[2]?.end(rejected);
    await settle();
    assert.equal(patient.error, rejected);
    assert.equal(rig.ledger.droppedItems(), 0);
    assert.equal(rig.settings.clock.pendingTimers, 0);
  });

  test("does not send what nobody waits for any more", async () => {
    const rig = await startExporter({ queue: { ...queue, num_consumers: 1 } });
    const first = await rig.consume(spans(9));
    const deadlineMs = rig.settings.clock.nowMs() + 10;
    await rig.consume(spans(9, { deadlineMs }));
    await rig.settings.clock.advanceAndSettle(10);
    rig.sends[0]?.end();
    await settle();
    assert.equal(first.state, "resolved");
    assert.equal(rig.sends.length, 1);
    assert.equal(rig.gauge("size"), 0);
  });
});

suite("a stopping queue that merges", () => {
  test("sends what has not waited long enough, without a timer", async () => {
    const rig = await startExporter({ queue: { batch: {} }, verdict: () => undefined });
    await rig.consume(spans(3));
    await rig.consume(spans(4));
    await rig.exporter.shutdown(rig.settings.clock.nowMs() + 1_000);
    assert.deepEqual(rig.sizes(), [7]);
    assert.equal(rig.ledger.heldItems, 0);
    assert.equal(rig.ledger.droppedItems(), 0);
    assert.equal(rig.settings.clock.pendingTimers, 0);
  });

  test("drops as shutdown what the deadline leaves, each part once", async () => {
    const queue = { num_consumers: 1, batch: { min_size: 4, max_size: 4 } };
    const rig = await startExporter({ queue });
    for (const itemCount of [10, 2, 2, 1]) await rig.consume(spans(itemCount));
    const stopping = rig.exporter.shutdown(rig.settings.clock.nowMs() + 1_000);
    await rig.settings.clock.advanceAndSettle(1_000);
    rig.sends[0]?.end(away);
    await stopping;
    assert.equal(rig.sends.length, 1);
    assert.deepEqual(rig.ledger.dropReasons, { shutdown: 15 });
    assert.equal(rig.ledger.heldItems, 0);
    assert.equal(rig.gauge("size"), 0);
  });
});
