import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { RetryableError } from "@inode-gateway/contract";
import { createTestBatch } from "@inode-gateway/testkit";
import fc from "fast-check";
import type { ReloadOutcome } from "../reload/reload-outcome.js";
import type { IdentityAccount } from "./accounts.js";
import { Laboratory } from "./laboratory.rig.js";

function assertBalanced(identity: IdentityAccount, moment: string): void {
  const { accepted, deliveredButRefused, deliveredEarly, recovered } = identity;
  const { delivered, dropped, held, inFlight, persisted, unaccounted } = identity;
  const where = `${identity.id} ${moment}: ${JSON.stringify(identity)}`;
  assert.equal(unaccounted, 0, where);
  assert.equal(
    accepted + recovered + deliveredButRefused + deliveredEarly,
    delivered + dropped + persisted + held + inFlight,
    where,
  );
  const reasons = Object.values(identity.dropReasons);
  assert.equal(
    reasons.reduce((sum, items) => sum + items, 0),
    dropped,
    where,
  );
  assert.ok(delivered >= 0 && dropped >= 0 && held >= 0, where);
}

const processors = fc.uniqueArray(
  fc.constantFrom("pass/1", "pass/2", "filter/1", "refuse/1", "hold/1", "hold/2"),
  { maxLength: 3 },
);
const exporters = fc.uniqueArray(
  fc.constantFrom("direct/1", "direct/2", "queue/1", "queue/2", "disk/1"),
  {
    minLength: 1,
    maxLength: 3,
  },
);
const receivers = fc.uniqueArray(fc.constantFrom("rec/1", "rec/2"), { minLength: 1 });
const shape = fc
  .record({
    own: fc.array(fc.record({ receivers, processors, exporters }), { minLength: 1, maxLength: 2 }),
    behindConnector: fc.option(fc.record({ processors, exporters }), { nil: undefined }),
  })
  .map(({ own, behindConnector }) => {
    const pipelines: [string, object][] = own.map((pipeline, index) => [
      `traces/${index}`,
      behindConnector !== undefined && index === 0
        ? { ...pipeline, exporters: [...pipeline.exporters, "join/1"] }
        : pipeline,
    ]);
    if (behindConnector !== undefined) {
      pipelines.push(["traces/behind", { receivers: ["join/1"], ...behindConnector }]);
    }
    return Object.fromEntries(pipelines);
  });

suite("the accounting identity", () => {
  // Scenario: random graphs, components with random latencies and outcomes, batches and steps of time.
  // Guarantees: nothing is unaccounted for at any moment; at the end every item has been delivered,
  // dropped for a reason or refused, and what the engine calls delivered has really left.
  test("holds at every moment of every graph of honest components", async () => {
    const step = fc.record({
      receiver: fc.constantFrom("rec/1", "rec/2"),
      itemCount: fc.nat(5),
      ms: fc.nat(12),
    });
    const steps = fc.array(step, { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(shape, steps, fc.nat(), async (pipelines, plan, seed) => {
        const laboratory = new Laboratory(seed);
        const runtime = await laboratory.runtime(pipelines);
        await runtime.start();
        for (const [index, { receiver, itemCount, ms }] of plan.entries()) {
          const output = laboratory.outputs.get(receiver)?.traces;
          output?.consume(createTestBatch({ itemCount })).catch(() => undefined);
          for (const identity of runtime.accounting().identities) {
            assert.equal(identity.unaccounted, 0, `within the call of step ${index}`);
          }
          await laboratory.clock.advanceAndSettle(ms);
          for (const identity of runtime.accounting().identities) {
            assertBalanced(identity, `after step ${index}`);
          }
        }
        const stopped = runtime.shutdown(laboratory.clock.nowMs() + 10_000);
        await laboratory.clock.advanceAndSettle(1_000);
        await stopped;
        for (const identity of runtime.accounting().identities) {
          assertBalanced(identity, "at the end");
          assert.deepEqual([identity.held, identity.inFlight, identity.deliveredEarly], [0, 0, 0]);
          const really = laboratory.delivered.get(`${identity.id}:${identity.signal}`) ?? 0;
          assert.equal(identity.delivered, really, `${identity.id} delivered`);
        }
      }),
      { numRuns: 300, includeErrorInReport: true },
    );
  });

  // Scenario: the same, and now and then a reload to another random graph, in which every component
  // may have changed, without waiting for the one before.
  // Guarantees: counts go on over every reload, and what was really delivered is what is counted.
  test("holds at every moment over reloads", async () => {
    const step = fc.record({
      receiver: fc.constantFrom("rec/1", "rec/2"),
      itemCount: fc.nat(5),
      ms: fc.nat(12),
      to: fc.option(fc.tuple(shape, fc.integer({ min: 1, max: 2 })), { freq: 2 }),
    });
    const steps = fc.array(step, { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(shape, steps, fc.nat(), async (pipelines, plan, seed) => {
        const laboratory = new Laboratory(seed);
        const { clock } = laboratory;
        const runtime = await laboratory.runtime(pipelines);
        await runtime.start();
        const reloads: Promise<ReloadOutcome>[] = [];
        const codes: string[] = [];
        for (const [index, { itemCount, ms, receiver, to }] of plan.entries()) {
          if (to !== null) {
            const checked = await laboratory.checked(...to);
            reloads.push(runtime.reload(checked, clock.nowMs() + 5_000));
          }
          const output = laboratory.outputs.get(receiver)?.traces;
          output?.consume(createTestBatch({ itemCount })).catch((error: unknown) => {
            if (error instanceof RetryableError) codes.push(error.code);
          });
          for (const identity of runtime.accounting().identities) {
            assert.equal(identity.unaccounted, 0, `within the call of step ${index}`);
          }
          await clock.advanceAndSettle(ms);
          for (const identity of runtime.accounting().identities) {
            assertBalanced(identity, `after step ${index}`);
          }
        }
        await clock.advanceAndSettle(6_000);
        for (const { outcome } of await Promise.all(reloads)) {
          assert.ok(["applied", "unchanged", "superseded"].includes(outcome), outcome);
        }
        assert.ok(!codes.includes("SHUTTING_DOWN"), "a reload refuses nobody");
        const stopped = runtime.shutdown(clock.nowMs() + 10_000);
        await clock.advanceAndSettle(1_000);
        await stopped;
        for (const identity of runtime.accounting().identities) {
          assertBalanced(identity, "at the end");
          assert.deepEqual([identity.held, identity.inFlight, identity.deliveredEarly], [0, 0, 0]);
          const really = laboratory.delivered.get(`${identity.id}:${identity.signal}`) ?? 0;
          assert.equal(identity.delivered, really, `${identity.id} delivered`);
        }
      }),
      { numRuns: 150, includeErrorInReport: true },
    );
  });

  test("does not hold for a component that loses items in silence", async () => {
    const laboratory = new Laboratory(1);
    const runtime = await laboratory.runtime({
      traces: { receivers: ["rec/1"], processors: ["leak/1"], exporters: ["queue/1"] },
    });
    await runtime.start();
    await laboratory.outputs.get("rec/1")?.traces?.consume(createTestBatch({ itemCount: 1 }));
    const [identity] = runtime.accounting().identities;
    assert.equal(identity?.unaccounted, 1);
    assert.equal(identity.accepted, 1);
  });

  // Scenario: one exporter has taken the batch, the other has not answered, and a batching processor
  // counts the batch as held until both have.
  test("tells what one exporter has delivered before the others answered", async () => {
    const laboratory = new Laboratory(1);
    const runtime = await laboratory.runtime({
      traces: { receivers: ["rec/1"], processors: ["hold/1"], exporters: ["direct/1", "direct/2"] },
    });
    await runtime.start();
    let early = 0;
    for (let round = 0; round < 100; round++) {
      await laboratory.outputs.get("rec/1")?.traces?.consume(createTestBatch({ itemCount: 2 }));
      await laboratory.clock.advanceAndSettle(5);
      for (const identity of runtime.accounting().identities) {
        assertBalanced(identity, `round ${round}`);
        early += identity.deliveredEarly;
      }
    }
    assert.ok(early > 0, "the scenario has come about");
  });
});
