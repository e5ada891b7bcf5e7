import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type Batch, PermanentError, RetryableError } from "@inode-gateway/contract";
import { createTestBatch, createTestSettings, settle, TestHost } from "@inode-gateway/testkit";
import { mergeBatches } from "../batching/merge-batches.js";
import { retryOnFailure, sendingQueue } from "./config.js";
import { DeliveringExporter, type DeliveryPolicy } from "./delivering-exporter.js";
import type { Sender } from "./delivery-step.js";
import { AFTERMATH_MS_MAX } from "./stop-times.js";

const away = new RetryableError("BACKEND_UNAVAILABLE", "away");

/** An exporter above a sender that does what `send` says. */
async function scenario(send: Sender["send"], policy: DeliveryPolicy = {}) {
  const settings = createTestSettings({ id: "debug", kind: "exporter", signal: "logs" });
  const calls: string[] = [];
  const sender: Sender = {
    start: async () => {
      calls.push("start");
    },
    send,
    close: async () => {
      calls.push("close");
    },
  };
  const exporter = new DeliveringExporter(settings, sender, policy);
  await exporter.start(new TestHost());
  const labels = { exporter: "debug", data_type: "logs" };
  return {
    calls,
    exporter,
    settings,
    sent: () => settings.meter.sum("otelcol_exporter_sent_log_records"),
    failed: () => settings.meter.sum("otelcol_exporter_send_failed_log_records"),
    inFlight: () => settings.meter.value("otelcol_exporter_in_flight_requests", labels),
  };
}

const logs = (itemCount: number, deadlineMs?: number): Batch =>
  createTestBatch({
    signal: "logs",
    itemCount,
    ...(deadlineMs === undefined ? {} : { origin: { deadlineMs } }),
  });

suite("DeliveringExporter without queue", () => {
  test("resolves when the destination has the batch, and counts it", async () => {
    let end = () => {};
    const { exporter, inFlight, sent } = await scenario(
      () =>
        new Promise((resolve) => {
          end = () => resolve(undefined);
        }),
    );
    const consuming = exporter.consume(logs(5));
    await settle();
    assert.equal(inFlight(), 1);
    assert.equal(sent(), 0);
    end();
    await consuming;
    assert.equal(inFlight(), 0);
    assert.equal(sent(), 5);
  });

  test("hands errors on as they are, counts them, and logs one line in a while", async () => {
    const error = new PermanentError("BACKEND_REJECTED", "no");
    const { exporter, failed, settings } = await scenario(() => Promise.reject(error));
    for (let index = 0; index < 3; index++) {
      await assert.rejects(exporter.consume(logs(5)), error);
    }
    assert.equal(failed(), 15);
    assert.equal(settings.ledger.droppedItems(), 0, "the sender was told");
    assert.deepEqual(settings.logger.messages("error"), ["Exporting failed. Rejecting data."]);
    await settings.clock.advanceAndSettle(10_000);
    await assert.rejects(exporter.consume(logs(5)), error);
    assert.equal(settings.logger.records.at(-1)?.fields["similar_left_out"], 2);
  });

  test("ends an attempt by the timeout or the sender's deadline, whichever is first", async () => {
    const deadlines: number[] = [];
    const { exporter, settings } = await scenario(
      (_batch, deadlineMs) => {
        deadlines.push(deadlineMs);
        return Promise.resolve(undefined);
      },
      { timeoutMs: 5_000 },
    );
    const nowMs = settings.clock.nowMs();
    await exporter.consume(logs(1));
    await exporter.consume(logs(1, nowMs + 1_000));
    await exporter.consume(logs(1, nowMs + 9_000));
    assert.deepEqual(deadlines, [nowMs + 5_000, nowMs + 1_000, nowMs + 5_000]);
    await assert.rejects(exporter.consume(logs(1, nowMs)), { code: "DEADLINE_EXCEEDED" });
    assert.equal(deadlines.length, 3);
  });

  // Scenario: the sender was acknowledged long ago, so nobody but the log can tell.
  test("says at the first failure that it will try again, not only when it gives up", async () => {
    const { exporter, settings } = await scenario(() => Promise.reject(away), {
      retry: retryOnFailure().parse({}),
      queue: sendingQueue().parse({}),
    });
    await exporter.consume(logs(5));
    await settle();
    const [line, ...more] = settings.logger.records.filter(({ level }) => level === "warn");
    assert.equal(line?.message, "Exporting failed. Will retry the request after interval.");
    assert.equal(line?.fields["reason"], "away");
    assert.match(String(line?.fields["interval"]), /^[2-7](\.\d+)?s$/);
    assert.deepEqual(more, []);
    assert.deepEqual(settings.states, [{ state: "recoverable_error", reason: "away" }]);
    await exporter.shutdown(settings.clock.nowMs());
  });

  test("reports trouble when it begins and when it ends, not in between", async () => {
    let error: Error | undefined = away;
    const { exporter, settings } = await scenario(async () => {
      if (error !== undefined) throw error;
      return undefined;
    });
    await assert.rejects(exporter.consume(logs(1)));
    await assert.rejects(exporter.consume(logs(1)));
    error = undefined;
    await exporter.consume(logs(1));
    await exporter.consume(logs(1));
    assert.deepEqual(settings.states, [
      { state: "recoverable_error", reason: "away" },
      { state: "ok", reason: undefined },
    ]);
  });
});

suite("DeliveringExporter that stops without a queue", () => {
  // Scenario: a merged batch is refused and taken apart, which takes longer than there is time.
  test("tells its senders in time, and sends no further part", async () => {
    const parts = [logs(1), logs(2), logs(3)];
    const merged = mergeBatches(parts, new Map());
    assert.ok(merged !== undefined);
    const ends: ((error: Error) => void)[] = [];
    const { exporter, settings } = await scenario(
      () =>
        new Promise((_resolve, reject) => {
          ends.push(reject);
        }),
    );
    const told = assert.rejects(exporter.consume(merged), { code: "SHUTTING_DOWN" });
    await settle();
    ends[0]?.(new PermanentError("BACKEND_REJECTED", "no"));
    await settle();
    assert.equal(ends.length, 2, "the first part is on its way");
    let isStopped = false;
    const stopping = exporter.shutdown(settings.clock.nowMs()).then(() => {
      isStopped = true;
    });
    await settings.clock.advanceAndSettle(AFTERMATH_MS_MAX - 1);
    assert.equal(isStopped, false, "its sender has not been told yet");
    ends[1]?.(new PermanentError("BACKEND_REJECTED", "no"));
    await told;
    await stopping;
    assert.equal(ends.length, 2);
    assert.equal(settings.clock.pendingTimers, 0);
  });
});

suite("DeliveringExporter with queue and retry", () => {
  const policy: DeliveryPolicy = {
    timeoutMs: 5_000,
    retry: retryOnFailure().parse({ randomization_factor: 0 }),
    queue: sendingQueue().parse({}),
  };

  test("acknowledges at once and delivers in the end, past the sender's deadline", async () => {
    let attempts = 0;
    const { exporter, sent, settings } = await scenario(async () => {
      if (++attempts < 3) throw away;
      return undefined;
    }, policy);
    await exporter.consume(logs(5, settings.clock.nowMs() + 1));
    assert.equal(settings.ledger.heldItems, 5);
    await settings.clock.advanceAndSettle(5_000 + 7_500);
    assert.equal(attempts, 3);
    assert.equal(sent(), 5);
    assert.equal(settings.ledger.heldItems, 0);
  });

  test("counts a failure once, after the last retry, and drops by reason", async () => {
    const { exporter, failed, settings } = await scenario(() => Promise.reject(away), policy);
    await exporter.consume(logs(5));
    await settings.clock.advanceAndSettle(250_000);
    assert.equal(failed(), 0);
    await settings.clock.advanceAndSettle(60_000);
    assert.equal(failed(), 5);
    assert.deepEqual(settings.ledger.dropReasons, { retries_exhausted: 5 });
    assert.equal(settings.ledger.heldItems, 0);
  });

  test("gives every queued batch one try when it stops, then closes the sender", async () => {
    let attempts = 0;
    const { calls, exporter, settings } = await scenario(() => {
      attempts++;
      return Promise.reject(away);
    }, policy);
    for (let index = 0; index < 15; index++) await exporter.consume(logs(1));
    await settle();
    assert.equal(attempts, 10, "num_consumers");
    await exporter.shutdown(settings.clock.nowMs() + 10_000);
    assert.equal(attempts, 15);
    assert.deepEqual(settings.ledger.dropReasons, { shutdown: 15 });
    assert.equal(settings.ledger.heldItems, 0);
    assert.deepEqual(calls, ["start", "close"]);
    assert.equal(settings.clock.pendingTimers, 0);
  });
});
