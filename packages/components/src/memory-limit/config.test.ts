import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import { memoryLimitConfig } from "./config.js";
import { MIB, resolveLimits } from "./memory-limits.js";

type Written = z.input<typeof memoryLimitConfig>;

function problemsOf(written: Written): string[] {
  const result = memoryLimitConfig.safeParse(written);
  return result.success
    ? []
    : result.error.issues.map(({ message, path }) => `${path.join(".")}: ${message}`);
}

function limitsOf(written: Written, totalBytes = 1_000 * MIB) {
  return resolveLimits(memoryLimitConfig.parse(written), () => Promise.resolve(totalBytes));
}

const refusals: readonly (readonly [Written, string])[] = [
  [{}, "limit_mib: `limit_mib` or `limit_percentage` must be greater than zero"],
  [
    { limit_mib: 100, check_interval: 0 },
    "check_interval: `check_interval` must be greater than zero",
  ],
  [
    { limit_mib: 100, spike_limit_mib: 100 },
    "spike_limit_mib: `spike_limit_mib` must be smaller than `limit_mib`: it is 100, `limit_mib` is 100",
  ],
  [
    { limit_percentage: 50, spike_limit_percentage: 50 },
    "spike_limit_percentage: `spike_limit_percentage` must be smaller than `limit_percentage`: it is 50, `limit_percentage` is 50",
  ],
  [
    { limit_percentage: 101 },
    "limit_percentage: must be greater than zero and less than or equal to hundred",
  ],
  [
    {
      limit_mib: 100,
      min_gc_interval_when_soft_limited: "1s",
      min_gc_interval_when_hard_limited: "2s",
    },
    "min_gc_interval_when_soft_limited: `min_gc_interval_when_soft_limited` should be larger than `min_gc_interval_when_hard_limited`",
  ],
  [
    { limit_mib: 100, max_gc_interval_when_soft_limited: "500ms" },
    "max_gc_interval_when_soft_limited: `max_gc_interval_when_soft_limited` must be greater than or equal to `min_gc_interval_when_soft_limited` (or 0 to disable)",
  ],
  [
    {
      limit_mib: 100,
      min_gc_interval_when_hard_limited: "1s",
      max_gc_interval_when_hard_limited: "500ms",
    },
    "max_gc_interval_when_hard_limited: `max_gc_interval_when_hard_limited` must be greater than or equal to `min_gc_interval_when_hard_limited` (or 0 to disable)",
  ],
  [
    { limit_mib: 100, max_gc_interval_when_hard_limited: "6s" },
    "max_gc_interval_when_soft_limited: `max_gc_interval_when_soft_limited` should be larger than or equal to `max_gc_interval_when_hard_limited` (when both are set)",
  ],
];

test("refuses what the Collector refuses, at the key that is wrong", () => {
  for (const [written, problem] of refusals) assert.deepEqual(problemsOf(written), [problem]);
});

test("accepts the last values before each refusal", () => {
  const accepted: readonly Written[] = [
    { limit_mib: 1 },
    { limit_percentage: 100, spike_limit_percentage: 99 },
    { limit_mib: 100, spike_limit_mib: 99 },
    { limit_mib: 4_294_967_295 },
    { limit_mib: 100, check_interval: "1ms" },
    { limit_mib: 100, max_gc_interval_when_soft_limited: 0, max_gc_interval_when_hard_limited: 0 },
    { limit_mib: 100, min_gc_interval_when_hard_limited: "1s" },
  ];
  for (const written of accepted) assert.deepEqual(problemsOf(written), []);
  assert.equal(problemsOf({ limit_mib: 4_294_967_296 }).length, 1);
});

test("the spike is a fifth of the limit unless it is set", async () => {
  assert.deepEqual(await limitsOf({ limit_mib: 100 }), {
    hardBytes: 100 * MIB,
    softBytes: 80 * MIB,
  });
  assert.deepEqual(await limitsOf({ limit_mib: 100, spike_limit_mib: 1 }), {
    hardBytes: 100 * MIB,
    softBytes: 99 * MIB,
  });
  assert.deepEqual(await limitsOf({ limit_percentage: 50 }), {
    hardBytes: 500 * MIB,
    softBytes: 400 * MIB,
  });
  assert.deepEqual(await limitsOf({ limit_percentage: 80, spike_limit_percentage: 25 }), {
    hardBytes: 800 * MIB,
    softBytes: 550 * MIB,
  });
});

test("a limit in MiB wins over one in percent, and needs no total", async () => {
  const config = memoryLimitConfig.parse({ limit_mib: 100, limit_percentage: 50 });
  const limits = await resolveLimits(config, () => Promise.reject(new Error("not asked")));
  assert.equal(limits.hardBytes, 100 * MIB);
});

test("without a total a limit in percent says what to do", async () => {
  const config = memoryLimitConfig.parse({ limit_percentage: 50 });
  await assert.rejects(
    resolveLimits(config, () => Promise.reject(new Error("memory.max holds no number"))),
    {
      message:
        "failed to get total memory, use fixed memory settings (`limit_mib`): memory.max holds no number",
    },
  );
});
