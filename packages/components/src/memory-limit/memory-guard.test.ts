import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestSettings, FakeClock } from "@inode-gateway/testkit";
import type { z } from "zod";
import { memoryLimitConfig } from "./config.js";
import { MemoryGuard } from "./memory-guard.js";
import { MIB } from "./memory-limits.js";
import type { CollectionDepth, ProcessMemory } from "./process-memory.js";

/** A process of 40 MiB beside its heap; what is freed stays resident unless the allocator gives it back. */
class FakeMemory implements ProcessMemory {
  static readonly nativeMib = 40;
  heapMib = 10;
  buffersMib = 0;
  garbageMib = 0;
  /** Freed, but kept by the allocator. */
  keptMib = 0;
  collections = 0;
  youngCollections = 0;
  reads = 0;

  read() {
    this.reads++;
    const external = (this.buffersMib + this.garbageMib) * MIB;
    const heap = this.heapMib * MIB;
    const native = (FakeMemory.nativeMib + this.keptMib) * MIB;
    return { rss: native + heap + external, heapUsed: heap, heapTotal: heap, external };
  }

  collect(depth: CollectionDepth): void {
    if (depth === "young") {
      this.youngCollections++;
      return;
    }
    this.collections++;
    this.keptMib += this.garbageMib;
    this.garbageMib = 0;
  }

  total(): Promise<number> {
    return Promise.resolve(1_000 * MIB);
  }
}

/** Limits of 500 and 400 MiB: begins again below 375, 25 of the margin melting in 30 s. */
async function startGuard(written: z.input<typeof memoryLimitConfig> = {}) {
  const clock = new FakeClock();
  const settings = createTestSettings({ id: "memory_limiter", kind: "processor", clock });
  const memory = new FakeMemory();
  const config = memoryLimitConfig.parse({ limit_mib: 500, ...written });
  const guard = new MemoryGuard(settings, config, memory);
  const changes: boolean[] = [];
  const listener = (isRefusing: boolean) => {
    changes.push(isRefusing);
  };
  await guard.join(listener);
  const value = (name: string) => settings.meter.sum(`inode_gateway_memory_limiter_${name}`);
  return { guard, memory, clock, settings, changes, listener, value };
}

test("lets everything in below the soft limit and nothing at it", async () => {
  const { clock, guard, memory } = await startGuard();
  memory.buffersMib = 349.999;
  clock.advance(10);
  assert.equal(guard.lookAgain(), undefined);
  memory.buffersMib = 350;
  clock.advance(10);
  const refusal = guard.lookAgain();
  assert.equal(refusal?.code, "MEMORY_LIMITED");
  assert.equal(
    refusal?.message,
    "data refused due to high memory usage: 400 MiB resident, soft limit is 400 MiB, limit is 500 MiB",
  );
});

test("looks when asked, at most once in 10 ms", async () => {
  const { clock, guard, memory } = await startGuard();
  const readsBefore = memory.reads;
  memory.buffersMib = 400;
  for (let question = 0; question < 100; question++) guard.lookAgain();
  clock.advance(9.9);
  assert.equal(guard.lookAgain(), undefined);
  assert.equal(memory.reads, readsBefore);
  clock.advance(0.1);
  assert.ok(guard.lookAgain());
  assert.equal(memory.reads, readsBefore + 1);
});

test("looks every check interval without being asked", async () => {
  const { clock, guard, memory, changes } = await startGuard({ check_interval: "3s" });
  memory.buffersMib = 400;
  clock.advance(2_999);
  assert.equal(guard.isRefusing, false);
  clock.advance(1);
  assert.equal(guard.isRefusing, true);
  assert.deepEqual(changes, [true]);
});

test("what consume asks changes nothing: who was let in is not refused in the same moment", async () => {
  const { clock, guard, memory } = await startGuard();
  clock.advance(10);
  assert.equal(guard.lookAgain(), undefined);
  memory.buffersMib = 400;
  clock.advance(20);
  assert.equal(guard.refusal(), undefined);
});

// Scenario: garbage fills the memory; the allocator gives back what is collected.
test("collects at once when refusing begins, and takes up again when that has helped", async () => {
  const { clock, guard, memory, changes, settings } = await startGuard();
  memory.garbageMib = 400;
  memory.collect = (depth) => {
    if (depth === "young") return;
    memory.collections++;
    memory.garbageMib = 0;
  };
  clock.advance(10);
  assert.ok(guard.lookAgain());
  assert.equal(memory.collections, 0, "no request waits for a collection");
  clock.advance(0);
  assert.equal(memory.collections, 1);
  clock.advance(200);
  assert.equal(guard.isRefusing, false);
  assert.deepEqual(changes, [true, false]);
  assert.deepEqual(
    settings.logger.records.slice(1).map(({ level, message }) => `${level}: ${message}`),
    [
      "warn: Memory usage is above soft limit. Refusing data.",
      "info: Memory usage back within limits. Resuming normal operation.",
    ],
  );
});

test("does not flap: a margin below the soft limit is needed, which melts away in 30 s", async () => {
  const { clock, guard, memory } = await startGuard();
  memory.buffersMib = 350;
  clock.advance(1_000);
  assert.equal(guard.isRefusing, true);
  memory.buffersMib = 340;
  clock.advance(15_000);
  assert.equal(guard.isRefusing, true, "390 MiB, the margin is at 387.5");
  clock.advance(4_000);
  assert.equal(guard.isRefusing, false, "the margin is at 390.8");
});

test("a quarter of the spike below the soft limit is enough at once", async () => {
  const { clock, guard, memory } = await startGuard();
  memory.buffersMib = 350;
  clock.advance(1_000);
  memory.buffersMib = 324;
  clock.advance(200);
  assert.equal(guard.isRefusing, false);
});

// Scenario: after a peak the allocator keeps 300 MiB that were freed: resident memory stays above
// the soft limit while almost nothing is in use.
test("does not stay shut for ever when freed memory stays resident", async () => {
  const { clock, guard, memory } = await startGuard();
  memory.garbageMib = 380;
  clock.advance(1_000);
  assert.equal(guard.isRefusing, true);
  clock.advance(200);
  assert.equal(guard.isRefusing, false, "430 MiB resident, 50 in use");

  // What comes now is put where the freed memory was, of which a part is of no use.
  memory.keptMib = 60;
  memory.buffersMib = 319;
  clock.advance(10);
  assert.equal(guard.lookAgain(), undefined, "429 MiB resident, 369 in use");
  memory.buffersMib = 320;
  clock.advance(10);
  assert.ok(guard.lookAgain(), "as far below the soft limit as resident memory was above it");
});

test("resident memory may grow half of the way to the hard limit while little is in use", async () => {
  const { clock, guard, memory } = await startGuard();
  memory.garbageMib = 380;
  clock.advance(1_000);
  clock.advance(200);
  assert.equal(guard.isRefusing, false, "430 MiB resident: up to 452.5, half of the way to 475");
  memory.keptMib = 402.4;
  clock.advance(10);
  assert.equal(guard.lookAgain(), undefined);
  memory.keptMib = 402.5;
  clock.advance(10);
  assert.ok(guard.lookAgain());
});

test("young garbage is collected close to the limit, at most every 100 ms", async () => {
  const { clock, guard, memory } = await startGuard();
  memory.buffersMib = 324;
  clock.advance(500);
  guard.lookAgain();
  assert.equal(memory.youngCollections, 0, "374 MiB are not close");
  memory.buffersMib = 325;
  for (let question = 0; question < 30; question++) {
    clock.advance(10);
    guard.lookAgain();
  }
  assert.equal(memory.youngCollections, 3);
});

// Scenario: more than a spike came at once; it is freed, but all of it stays resident.
test("above the hard limit free memory is trusted up to one spike more, not beyond", async () => {
  const { clock, guard, memory } = await startGuard();
  memory.keptMib = 549.9;
  clock.advance(1_000);
  assert.equal(guard.isRefusing, true);
  clock.advance(29_000);
  assert.equal(guard.isRefusing, true, "it might be given back");
  clock.advance(1_200);
  assert.equal(guard.isRefusing, false, "600 MiB is a spike above the limit");
  memory.keptMib = 550;
  clock.advance(10);
  assert.ok(guard.lookAgain());
  clock.advance(60_000);
  assert.equal(guard.isRefusing, true);
  memory.keptMib = 0;
  clock.advance(200);
  assert.equal(guard.isRefusing, false);
});

test("after resident memory has been low the soft limit counts as at first", async () => {
  const { clock, guard, memory } = await startGuard();
  memory.garbageMib = 380;
  clock.advance(1_200);
  memory.keptMib = 0;
  clock.advance(1_000);
  memory.keptMib = 350;
  clock.advance(10);
  assert.ok(guard.lookAgain());
});

test("memory in use is collected ever more seldom, above the hard limit sooner", async () => {
  for (const [buffersMib, expected] of [
    [400, 4],
    [500, 4],
  ] as const) {
    const { clock, memory, value } = await startGuard();
    memory.buffersMib = buffersMib;
    clock.advance(1_000);
    assert.equal(memory.collections, 1);
    clock.advance(15_000);
    assert.equal(memory.collections, expected);
    assert.equal(value("collections"), expected + memory.youngCollections);
  }
});

test("a refusal says 1 to 5 s, by how fast memory falls", async () => {
  const { clock, guard, memory, settings } = await startGuard();
  const retryAfterMs = () => guard.refusal()?.retryAfterMs ?? 0;
  memory.buffersMib = 450;
  clock.advance(1_000);
  assert.ok(retryAfterMs() >= 2_000 && retryAfterMs() <= 2_500, "nothing is known at the peak");
  // 20 MiB in 200 ms, and 184 MiB are left: so close to the limit only 296 may be in use.
  memory.buffersMib = 430;
  clock.advance(200);
  assert.ok(retryAfterMs() >= 1_750 && retryAfterMs() <= 2_350, `${retryAfterMs()}`);
  memory.buffersMib = 326;
  clock.advance(200);
  assert.ok(retryAfterMs() >= 1_000 && retryAfterMs() <= 1_250, "almost there");
  memory.buffersMib = 450;
  clock.advance(10_000);
  memory.buffersMib = 449.9;
  clock.advance(200);
  assert.equal(retryAfterMs(), 5_000, "it hardly falls");
  assert.deepEqual(settings.backgroundFailures, []);
});

test("a limit below what the process needs is said at the start", async () => {
  const { settings, guard } = await startGuard({ limit_mib: 60 });
  assert.ok(guard.isRefusing, "50 MiB in use, soft limit 48");
  assert.deepEqual(settings.logger.messages("warn").slice(0, 1), [
    "the memory limit is below what the process needs to run at all",
  ]);
});

test("shows what it measures, and nothing after the last has left", async () => {
  const { guard, listener, clock, memory, value } = await startGuard();
  const second = () => undefined;
  await guard.join(second);
  assert.equal(value("resident_bytes"), 50 * MIB);
  assert.equal(value("in_use_bytes"), 50 * MIB);
  assert.equal(value("soft_limit_bytes"), 400 * MIB);
  assert.equal(value("hard_limit_bytes"), 500 * MIB);
  assert.equal(value("refusing"), 0);
  memory.buffersMib = 500;
  clock.advance(1_000);
  assert.equal(value("refusing"), 1);

  guard.leave(listener);
  guard.leave(listener);
  assert.equal(guard.isRefusing, true, "one is still there");
  guard.leave(second);
  assert.equal(guard.lookAgain(), undefined);
  assert.equal(value("resident_bytes"), 0);
  assert.equal(clock.pendingTimers, 0);
});
