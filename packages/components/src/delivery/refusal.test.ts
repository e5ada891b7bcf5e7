import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { RetryableError } from "@inode-gateway/contract";
import { settle } from "@inode-gateway/testkit";
import { spans, startExporter } from "./delivery.rig.js";

suite("an exporter asked beforehand", () => {
  test("would take what fits, and refuses the first that does not as consume would", async () => {
    const rig = await startExporter({ queue: { sizer: "items", queue_size: 10 } });
    await rig.consume(spans(6));
    assert.equal(rig.exporter.refusal(spans(4)), undefined);
    assert.equal(rig.exporter.refusal(), undefined);
    assert.equal(rig.sum("enqueue_failed"), 0);
    const asked = rig.exporter.refusal(spans(5));
    assert.equal(rig.sum("enqueue_failed"), 5, "who asked does not come with it");
    const { error: told } = await rig.consume(spans(5));
    assert.ok(asked instanceof RetryableError && told instanceof RetryableError);
    assert.equal(asked.code, "QUEUE_FULL");
    assert.equal(asked.message, told.message);
    assert.equal(asked.retryAfterMs, told.retryAfterMs);
    assert.equal(rig.gauge("size"), 6, "asking takes no room");
  });

  test("without a batch refuses when not even the smallest fits", async () => {
    const rig = await startExporter({ queue: { sizer: "items", queue_size: 10 } });
    await rig.consume(spans(9));
    assert.equal(rig.exporter.refusal(), undefined);
    await rig.consume(spans(1));
    const refusal = rig.exporter.refusal();
    assert.ok(refusal instanceof RetryableError);
    assert.equal(refusal.code, "QUEUE_FULL");
    assert.equal(rig.sum("enqueue_failed"), 0, "nobody knows how many items it would have been");
    rig.sends[0]?.end();
    await settle();
    assert.equal(rig.exporter.refusal(), undefined);
  });

  test("says when there will be room at the present rate", async () => {
    const rig = await startExporter({ queue: { queue_size: 100, num_consumers: 100 } });
    for (let index = 0; index < 100; index++) await rig.consume(spans(1));
    assert.equal(rig.exporter.refusal(spans(1))?.name, "RetryableError");
    const retryAfterMs = () => (rig.exporter.refusal(spans(1)) as RetryableError).retryAfterMs;
    assert.equal(retryAfterMs(), 5_000, "nothing has left yet");
    for (let index = 0; index < 15; index++) {
      rig.sends[index]?.end();
      await settle();
      await rig.consume(spans(1));
    }
    assert.ok(Math.abs((retryAfterMs() ?? 0) - 3_333) < 1, "15 in 5 s: ten more in 3.3 s");
  });

  test("refuses for good what is larger than the whole queue", async () => {
    const rig = await startExporter({ queue: { sizer: "items", queue_size: 10 } });
    assert.equal(rig.exporter.refusal(spans(10)), undefined);
    assert.equal(rig.exporter.refusal(spans(11))?.code, "BATCH_TOO_LARGE");
    assert.equal(rig.sum("enqueue_failed"), 11);
  });

  test("refuses nothing for being full where senders wait for room", async () => {
    const rig = await startExporter({ queue: { queue_size: 1, block_on_overflow: true } });
    await rig.consume(spans(1));
    assert.equal(rig.exporter.refusal(spans(1)), undefined);
    assert.equal(rig.exporter.refusal(), undefined);
  });

  test("refuses everything once it stops, with a queue and without", async () => {
    for (const enabled of [true, false]) {
      const rig = await startExporter({ queue: { enabled } });
      assert.equal(rig.exporter.refusal(), undefined);
      const stopping = rig.exporter.shutdown(rig.settings.clock.nowMs() + 1_000);
      assert.equal(rig.exporter.refusal()?.code, "SHUTTING_DOWN");
      assert.equal(rig.exporter.refusal(spans(1))?.code, "SHUTTING_DOWN");
      await stopping;
    }
  });
});
