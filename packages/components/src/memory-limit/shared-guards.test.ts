import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestSettings, FakeClock, RecordingMeter } from "@inode-gateway/testkit";
import { memoryLimitConfig } from "./config.js";
import { SharedGuards } from "./shared-guards.js";
import { systemMemory } from "./system-memory.js";

// A configuration is checked by making its components with services of the check's own, on the same
// clock: what runs then must not count and log where nobody looks.
test("shares a guard within one process, and not with what was made to check it", () => {
  const guards = new SharedGuards(systemMemory());
  const config = memoryLimitConfig.parse({ limit_mib: 500 });
  const clock = new FakeClock();
  const meter = new RecordingMeter();
  const identity = { id: "memory_limiter", kind: "processor" } as const;
  const settings = () => createTestSettings({ ...identity, clock, meter });
  const checked = createTestSettings({ ...identity, clock, meter: new RecordingMeter() });
  const ofCheck = guards.guardOf(checked, config);
  const guard = guards.guardOf(settings(), config);
  assert.notEqual(guard, ofCheck);
  assert.equal(guards.guardOf(settings(), config), guard);
  const elsewhere = createTestSettings({ ...identity, clock: new FakeClock(), meter });
  assert.notEqual(guards.guardOf(elsewhere, config), guard);
});
