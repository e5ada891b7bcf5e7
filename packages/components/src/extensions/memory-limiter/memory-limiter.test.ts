import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestSettings, FakeClock, runLifecycleSuite, TestHost } from "@inode-gateway/testkit";
import { requestGateOf } from "../../capabilities/request-gate.js";
import { memoryLimitConfig } from "../../memory-limit/config.js";
import { MemoryGuard } from "../../memory-limit/memory-guard.js";
import { MIB } from "../../memory-limit/memory-limits.js";
import { memoryLimiterExtension } from "./factory.js";
import { MemoryLimiterExtension } from "./memory-limiter.js";

runLifecycleSuite(memoryLimiterExtension, { config: { limit_percentage: 100 } });

test("receivers find it by its ID, and it refuses retryably above the soft limit", async () => {
  const clock = new FakeClock();
  const settings = createTestSettings({ id: "memory_limiter", kind: "extension", clock });
  let rss = 100 * MIB;
  const guard = new MemoryGuard(settings, memoryLimitConfig.parse({ limit_percentage: 50 }), {
    read: () => ({ rss, heapUsed: 0, heapTotal: 0, external: rss - 100 * MIB }),
    collect: () => undefined,
    total: () => Promise.resolve(1_000 * MIB),
  });
  const extension = new MemoryLimiterExtension(settings, guard);
  await extension.start();
  const gate = requestGateOf(new TestHost({ memory_limiter: extension }), "memory_limiter");
  assert.equal(gate.requestRefusal(), undefined);
  rss = 400 * MIB;
  clock.advance(10);
  const refusal = gate.requestRefusal();
  assert.equal(refusal?.code, "MEMORY_LIMITED");
  assert.ok((refusal?.retryAfterMs ?? 0) >= 1_000);
  assert.equal(settings.meter.sum("inode_gateway_memory_limiter_refused_requests"), 1);
  assert.equal(settings.states.at(-1)?.state, "recoverable_error");
  await extension.shutdown();
  assert.equal(gate.requestRefusal(), undefined);
});
