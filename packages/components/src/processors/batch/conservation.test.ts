import assert from "node:assert/strict";
import { test } from "node:test";
import { PermanentError, RetryableError } from "@inode-gateway/contract";
import {
  CapturingConsumer,
  createTestBatch,
  createTestSettings,
  FakeClock,
} from "@inode-gateway/testkit";
import fc from "fast-check";
import { BatchProcessor } from "./batch-processor.js";
import { batchConfig } from "./config.js";

const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("consume" as const), items: fc.nat(30) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(300) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("answer" as const), index: fc.nat(3) }) },
);

const config = fc.record({
  timeout: fc.constantFrom("0s", "50ms", "200ms"),
  send_batch_size: fc.constantFrom(0, 5, 20),
  send_batch_max_size: fc.constantFrom(0, 20, 33),
  send_batch_max_bytes: fc.constantFrom(0, 150, 1_000),
  num_consumers: fc.integer({ min: 1, max: 3 }),
  pending_bytes_max: fc.constantFrom(3_000, 1_000_000),
});

// Guarantees: at every moment accepted = delivered + failed and dropped + held + in flight, and after
// shutdown nothing is held, whatever the sizes, the limits and the answers of the next component.
test("no item is lost or doubled without being counted", async () => {
  await fc.assert(
    fc.asyncProperty(
      config,
      fc.array(action, { maxLength: 40 }),
      fc.array(fc.constantFrom("take", "refuse", "reject", "later"), { minLength: 1 }),
      async (written, actions, answers) => {
        const clock = new FakeClock();
        const settings = createTestSettings({ kind: "processor", signal: "traces", clock });
        const output = new CapturingConsumer();
        const waiting: { resolve: () => void; items: number }[] = [];
        let inFlight = 0;
        let calls = 0;
        output.respond = (batch) => {
          const answer = answers[calls++ % answers.length];
          if (answer === "refuse") throw new RetryableError("QUEUE_FULL", "full");
          if (answer === "reject") throw new PermanentError("BACKEND_REJECTED", "no");
          if (answer === "take") return undefined;
          inFlight += batch.itemCount;
          return new Promise<void>((resolve) => {
            waiting.push({ resolve, items: batch.itemCount });
          });
        };
        const finish = (index: number) => {
          const [done] = waiting.splice(index, 1);
          inFlight -= done?.items ?? 0;
          done?.resolve();
        };
        const processor = new BatchProcessor(settings, batchConfig.parse(written), output);
        await processor.start();
        let accepted = 0;
        const check = () => {
          const { ledger } = settings;
          const sum = output.itemCount + ledger.droppedItems() + ledger.heldItems + inFlight;
          assert.equal(sum, accepted);
        };
        for (const step of actions) {
          if (step.kind === "wait") await clock.advanceAndSettle(step.ms);
          else if (step.kind === "answer") finish(step.index);
          else {
            const batch = createTestBatch({ itemCount: step.items });
            await processor.consume(batch).then(
              () => {
                accepted += step.items;
              },
              (error: unknown) =>
                assert.ok(error instanceof RetryableError || error instanceof PermanentError),
            );
          }
          await clock.advanceAndSettle(0);
          check();
        }
        const stopped = processor.shutdown(clock.nowMs() + 500);
        await clock.advanceAndSettle(500);
        await stopped;
        check();
        assert.equal(settings.ledger.heldItems, 0);
        while (waiting.length > 0) finish(0);
        await settings.backgroundSettled();
        check();
        assert.equal(settings.meter.sum("inode_gateway_batch_pending_bytes"), 0);
        assert.deepEqual(settings.backgroundFailures, []);
      },
    ),
    { numRuns: 200 },
  );
});
