import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { loadConfiguration } from "@inode-gateway/config";
import {
  type Batch,
  type Component,
  type ComponentFactory,
  type ComponentSettings,
  type Consumer,
  defineConnector,
  defineExporter,
  defineProcessor,
  defineReceiver,
  PermanentError,
  type ReceiverOutputs,
  RetryableError,
  type Signal,
} from "@inode-gateway/contract";
import {
  CapturingLogger,
  createTestBatch,
  FakeClock,
  RecordingMeter,
  seededRandom,
} from "@inode-gateway/testkit";
import fc from "fast-check";
import { z } from "zod";
import { checkConfiguration } from "../check/check-configuration.js";
import { createPipelineRuntime } from "../pipeline-runtime.js";
import type { ReloadOutcome } from "../reload/reload-outcome.js";
import type { IdentityAccount } from "./accounts.js";

const SIGNALS: readonly Signal[] = ["traces", "metrics", "logs", "profiles"];
const config = z.strictObject({ size: z.int() });
const common = { stability: "development", config, signals: SIGNALS } as const;

/** Honest components of every sort, with random latencies and outcomes, on one fake clock. */
class Laboratory {
  readonly clock = new FakeClock();
  readonly random: () => number;
  readonly outputs = new Map<string, ReceiverOutputs>();
  /** What has really left, by `id:signal`. */
  readonly delivered = new Map<string, number>();
  /** Batches on disk, in items, by `id:signal`. */
  readonly disks = new Map<string, number[]>();
  readonly #pending = new Set<Promise<void>>();

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  sleep(): Promise<void> {
    const delayMs = Math.floor(this.random() * 4) * 5;
    if (delayMs === 0) return Promise.resolve();
    return new Promise((resolve) => void this.clock.setTimer(delayMs, resolve));
  }

  background(work: () => Promise<void>): void {
    const promise = work().finally(() => this.#pending.delete(promise));
    this.#pending.add(promise);
  }

  /** A component's shutdown: everything it has in the background ends. */
  life(): Component {
    return {
      start: () => Promise.resolve(),
      shutdown: async () => {
        await Promise.all(this.#pending);
      },
    };
  }

  fail(): void {
    const dice = this.random();
    if (dice < 0.15) throw new RetryableError("BACKEND_UNAVAILABLE", "away");
    if (dice < 0.25) throw new PermanentError("BACKEND_REJECTED", "no");
    if (dice < 0.27) throw new TypeError("a bug");
  }

  async deliver(settings: ComponentSettings, items: number): Promise<void> {
    await this.sleep();
    this.fail();
    const key = `${settings.id}:${settings.signal}`;
    this.delivered.set(key, (this.delivered.get(key) ?? 0) + items);
  }

  get factories(): readonly ComponentFactory[] {
    const processor = (
      type: string,
      consume: (settings: ComponentSettings, batch: Batch, next: Consumer) => Promise<void>,
    ) =>
      defineProcessor({
        ...common,
        type,
        create: (settings, _config, next) => ({
          ...this.life(),
          consume: (batch) => consume(settings, batch, next),
        }),
      });
    const exporter = (
      type: string,
      consume: (settings: ComponentSettings, batch: Batch) => Promise<void>,
    ) =>
      defineExporter({
        ...common,
        type,
        create: (settings) => ({ ...this.life(), consume: (batch) => consume(settings, batch) }),
      });
    return [
      defineReceiver({
        ...common,
        type: "rec",
        create: (settings, _config, outputs) => ({
          ...this.life(),
          // Nothing is received before the start and after the stop.
          start: async () => void this.outputs.set(settings.id, outputs),
          shutdown: async () => {
            if (this.outputs.get(settings.id) === outputs) this.outputs.delete(settings.id);
          },
        }),
      }),
      processor("pass", async (_settings, batch, next) => {
        await this.sleep();
        await next.consume(batch);
        await this.sleep();
      }),
      processor("filter", async ({ ledger }, batch, next) => {
        const dropped = Math.floor(this.random() * batch.itemCount);
        await next.consume(createTestBatch({ itemCount: batch.itemCount - dropped }));
        ledger.dropped(dropped, "filtered");
      }),
      processor("refuse", async (_settings, batch, next) => {
        this.fail();
        await next.consume(batch);
      }),
      processor("hold", async ({ ledger }, batch, next) => {
        ledger.held(batch.itemCount);
        this.background(async () => {
          await this.sleep();
          const isReleasedBefore = this.random() < 0.5;
          if (isReleasedBefore) ledger.released(batch.itemCount);
          try {
            await next.consume(batch);
          } catch {
            ledger.dropped(batch.itemCount, "refused");
          }
          if (!isReleasedBefore) ledger.released(batch.itemCount);
        });
      }),
      processor("leak", (_settings, batch, next) =>
        batch.itemCount > 1 ? next.consume(batch) : Promise.resolve(),
      ),
      exporter("direct", async (settings, batch) => {
        const rejected = this.random() < 0.2 ? Math.floor(this.random() * batch.itemCount) : 0;
        await this.deliver(settings, batch.itemCount - rejected);
        settings.ledger.dropped(rejected, "partial_success");
      }),
      exporter("queue", async (settings, batch) => {
        if (this.random() < 0.1) throw new RetryableError("QUEUE_FULL", "full");
        settings.ledger.held(batch.itemCount);
        this.background(async () => {
          await this.sleep();
          try {
            await this.deliver(settings, batch.itemCount);
          } catch {
            settings.ledger.dropped(batch.itemCount, "given_up");
          }
          settings.ledger.released(batch.itemCount);
        });
      }),
      this.#diskExporter(),
      defineConnector({
        ...common,
        type: "join",
        create: (settings, _config, outputs) => ({
          ...this.life(),
          consume: async (batch) => {
            await Promise.all([...outputs.values()].map((output) => output.consume(batch)));
            const key = `${settings.id}:${settings.signal}`;
            this.delivered.set(key, (this.delivered.get(key) ?? 0) + batch.itemCount);
          },
        }),
      }),
    ];
  }

  /** A queue on disk that delivers one batch after another and keeps the rest for the next start. */
  #diskExporter() {
    return defineExporter({
      ...common,
      type: "disk",
      exclusive: () => true,
      create: (settings) => {
        const { id, ledger, signal } = settings;
        const key = `${id}:${signal}`;
        const disk = this.disks.get(key) ?? [];
        this.disks.set(key, disk);
        let isStopping = false;
        const work = async () => {
          for (;;) {
            await this.sleep();
            const items = disk[0];
            if (isStopping || items === undefined) return;
            const isDelivered = await this.deliver(settings, items).then(
              () => true,
              () => false,
            );
            disk.shift();
            ledger.released(items);
            if (!isDelivered) ledger.dropped(items, "given_up");
          }
        };
        let working = Promise.resolve();
        const wake = () => {
          working = working.then(work);
        };
        return {
          start: async () => {
            for (const items of disk) ledger.recovered(items);
            wake();
          },
          consume: async (batch) => {
            if (isStopping) throw new RetryableError("SHUTTING_DOWN", "stopping");
            if (this.random() < 0.1) throw new RetryableError("STORAGE_FAILED", "disk full");
            disk.push(batch.itemCount);
            ledger.held(batch.itemCount);
            wake();
          },
          shutdown: async () => {
            if (isStopping) return;
            isStopping = true;
            await working;
            for (const items of disk) ledger.persisted(items);
          },
        };
      },
    });
  }

  async checked(pipelines: object, size = 1) {
    const ids = (...types: string[]) =>
      Object.fromEntries(
        types.flatMap((type) => [1, 2].map((name) => [`${type}/${name}`, { size }])),
      );
    const root = {
      receivers: ids("rec"),
      processors: ids("pass", "filter", "refuse", "hold", "leak"),
      exporters: ids("direct", "queue", "disk"),
      connectors: ids("join"),
      service: { pipelines },
    };
    const configs = [`yaml:${JSON.stringify(root)}`];
    const tree = await loadConfiguration({ configs, sets: [], environment: {} });
    const result = checkConfiguration(tree, this.factories, { telemetrySchema: z.unknown() });
    if ("problems" in result) assert.fail(JSON.stringify(result.problems));
    return result.checked;
  }

  async runtime(pipelines: object) {
    return createPipelineRuntime({
      checked: await this.checked(pipelines),
      logger: new CapturingLogger(),
      meter: new RecordingMeter(),
      clock: this.clock,
      random: this.random,
      build: { command: "test", version: "0" },
    });
  }
}

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
