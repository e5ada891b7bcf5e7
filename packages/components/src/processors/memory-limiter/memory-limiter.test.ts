import assert from "node:assert/strict";
import { test } from "node:test";
import { RetryableError, type Signal } from "@inode-gateway/contract";
import {
  CapturingConsumer,
  createTestBatch,
  createTestSettings,
  FakeClock,
  RecordingMeter,
  runLifecycleSuite,
  TestHost,
} from "@inode-gateway/testkit";
import { memoryLimitConfig } from "../../memory-limit/config.js";
import { MIB } from "../../memory-limit/memory-limits.js";
import type { ProcessMemory } from "../../memory-limit/process-memory.js";
import { defineMemoryLimiter, memoryLimiterProcessor } from "./factory.js";

runLifecycleSuite(memoryLimiterProcessor, { config: { limit_mib: 1_000_000 } });

/** A memory that a test fills, and counts who reads it. */
function fakeMemory() {
  const state = { usedMib: 50, reads: 0 };
  const memory: ProcessMemory = {
    read: () => {
      state.reads++;
      const heap = 10 * MIB;
      const external = (state.usedMib - 50) * MIB;
      return { rss: state.usedMib * MIB, heapUsed: heap, heapTotal: heap, external };
    },
    collect: () => undefined,
    total: () => Promise.resolve(1_000 * MIB),
  };
  return { state, memory };
}

async function startLimiters(signals: readonly Signal[] = ["traces"]) {
  const { memory, state } = fakeMemory();
  const factory = defineMemoryLimiter(memory);
  const config = memoryLimitConfig.parse({ limit_mib: 500 });
  const clock = new FakeClock();
  const meter = new RecordingMeter();
  const limiters = signals.map((signal) => {
    const output = new CapturingConsumer();
    const settings = createTestSettings({
      ...{ id: "memory_limiter", kind: "processor", signal, pipeline: signal, clock, meter },
    } as const);
    return { output, settings, processor: factory.create(settings, config, output) };
  });
  for (const { processor } of limiters) await processor.start(new TestHost());
  const count = (name: string) =>
    meter.value(`otelcol_processor_memory_limiter_${name}`, { processor: "memory_limiter" });
  return { limiters, clock, state, count, meter };
}

test("passes on what comes while memory is within its limit, and counts it", async () => {
  const { count, limiters } = await startLimiters(["traces", "metrics", "logs", "profiles"]);
  for (const { processor, settings } of limiters) {
    await processor.consume(createTestBatch({ signal: settings.signal ?? "traces", itemCount: 3 }));
  }
  for (const items of ["spans", "metric_points", "log_records", "profile_samples"]) {
    assert.equal(count(`accepted_${items}`), 3);
    assert.equal(count(`refused_${items}`), 0);
  }
});

test("refuses everything above the soft limit, with a delay, and says how it is", async () => {
  const { clock, count, limiters, state } = await startLimiters();
  const [{ output, processor, settings } = assert.fail()] = limiters;
  state.usedMib = 400;
  clock.advance(1_000);
  const error: unknown = await processor.consume(createTestBatch({ itemCount: 3 })).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof RetryableError);
  assert.equal(error.code, "MEMORY_LIMITED");
  assert.ok((error.retryAfterMs ?? 0) >= 1_000);
  assert.equal(count("refused_spans"), 3);
  assert.equal(output.offered.length, 0);
  assert.deepEqual(settings.states.at(-1), {
    state: "recoverable_error",
    reason: "data refused due to high memory usage",
  });
  state.usedMib = 100;
  clock.advance(200);
  await processor.consume(createTestBatch());
  assert.deepEqual(settings.states.at(-1), { state: "ok", reason: undefined });
});

test("asked beforehand it counts items with a batch, requests without one", async () => {
  const { clock, count, limiters, meter, state } = await startLimiters();
  const [{ processor } = assert.fail()] = limiters;
  state.usedMib = 400;
  clock.advance(10);
  assert.equal(processor.refusal?.()?.code, "MEMORY_LIMITED");
  assert.equal(processor.refusal?.(createTestBatch({ itemCount: 4 }))?.code, "MEMORY_LIMITED");
  assert.equal(count("refused_spans"), 4);
  const requests = meter.sum("inode_gateway_memory_limiter_refused_requests");
  assert.equal(requests, 1);
});

test("asked beforehand while all is well it answers as what follows it does", async () => {
  const { limiters } = await startLimiters();
  const [{ output, processor } = assert.fail()] = limiters;
  assert.equal(processor.refusal?.(), undefined, "what follows never knows beforehand");
  const full = new RetryableError("QUEUE_FULL", "full");
  const asked: unknown[] = [];
  Object.assign(output, {
    refusal: (batch: unknown) => {
      asked.push(batch);
      return full;
    },
  });
  const batch = createTestBatch();
  assert.equal(processor.refusal?.(batch), full);
  assert.equal(processor.refusal?.(), full);
  assert.deepEqual(asked, [batch, undefined]);
});

test("the instances of several pipelines watch once, until the last has stopped", async () => {
  const { clock, limiters, state } = await startLimiters(["traces", "metrics", "logs"]);
  assert.equal(clock.pendingTimers, 1);
  const readsBefore = state.reads;
  clock.advance(5_000);
  assert.equal(state.reads, readsBefore + 5);
  state.usedMib = 400;
  clock.advance(1_000);
  for (const { settings } of limiters) {
    assert.equal(settings.states.at(-1)?.state, "recoverable_error");
  }
  for (const { processor } of limiters.slice(1)) await processor.shutdown(0);
  assert.equal(clock.pendingTimers, 1);
  await limiters[0]?.processor.shutdown(0);
  assert.equal(clock.pendingTimers, 0);
});
