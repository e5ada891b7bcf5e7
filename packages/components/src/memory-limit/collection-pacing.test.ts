import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import { CollectionPacing } from "./collection-pacing.js";
import { memoryLimitConfig } from "./config.js";

function pacingOf(written: z.input<typeof memoryLimitConfig> = {}): CollectionPacing {
  return new CollectionPacing(memoryLimitConfig.parse({ limit_mib: 100, ...written }));
}

/** The time after `nowMs` at which the next collection is due, to the millisecond. */
function waitOf(pacing: CollectionPacing, limit: "soft" | "hard", nowMs: number): number {
  for (let ms = 0; ms < 100_000; ms++) if (pacing.isDue(limit, nowMs + ms)) return ms;
  return Number.POSITIVE_INFINITY;
}

test("the first collection is due at once, the next after the minimum of its limit", () => {
  const pacing = pacingOf({ min_gc_interval_when_soft_limited: "3s" });
  assert.equal(waitOf(pacing, "soft", 0), 0);
  pacing.collected(100, 0);
  assert.equal(waitOf(pacing, "soft", 0), 3_000);
  assert.equal(waitOf(pacing, "hard", 0), 950, "95 % of the check interval without a minimum");
});

test("collections that free nothing double the interval up to its maximum", () => {
  const pacing = pacingOf();
  const waits = { soft: [] as number[], hard: [] as number[] };
  for (let round = 0; round < 4; round++) {
    pacing.collected(100, 0);
    pacing.observe(96, false);
    waits.soft.push(waitOf(pacing, "soft", 0));
    waits.hard.push(waitOf(pacing, "hard", 0));
  }
  assert.deepEqual(waits.soft, [2_000, 4_000, 5_000, 5_000]);
  assert.deepEqual(waits.hard, [1_900, 3_800, 5_000, 5_000]);
});

test("a maximum of 0 never doubles", () => {
  const pacing = pacingOf({
    max_gc_interval_when_soft_limited: 0,
    max_gc_interval_when_hard_limited: 0,
  });
  pacing.collected(100, 0);
  pacing.observe(100, false);
  assert.equal(waitOf(pacing, "soft", 0), 1_000);
});

test("one that frees 5 %, or memory within its limits, ends the doubling", () => {
  for (const [bytes, isWithinLimits] of [
    [95, false],
    [100, true],
  ] as const) {
    const pacing = pacingOf();
    pacing.collected(100, 0);
    pacing.observe(100, false);
    pacing.collected(100, 0);
    pacing.observe(bytes, isWithinLimits);
    assert.equal(waitOf(pacing, "soft", 0), 1_000);
  }
});
