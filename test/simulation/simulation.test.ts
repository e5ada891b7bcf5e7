import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { runSchedule } from "./run-schedule.js";

/** Schedules that every run of the tests goes through; `npm run simulate` goes through more. */
const SEEDS = 2_000;
/** One test for so many seeds, so that a failure names a short range. */
const SEEDS_PER_TEST = 250;

suite("simulated worlds", () => {
  for (let from = 1; from <= SEEDS; from += SEEDS_PER_TEST) {
    test(`hold every invariant with the seeds from ${from} on`, async () => {
      let acknowledged = 0;
      for (let seed = from; seed < from + SEEDS_PER_TEST; seed++) {
        const result = await runSchedule(seed);
        const again = `npm run simulate -- --seeds 1 --from ${seed} --show`;
        assert.deepEqual(result.violations, [], `seed ${seed}; run it again: ${again}`);
        acknowledged += result.acknowledged;
      }
      assert.ok(acknowledged > SEEDS_PER_TEST, `only ${acknowledged} items were acknowledged`);
    });
  }

  test("are the same world for the same seed", async () => {
    const runs = [await runSchedule(42), await runSchedule(42)];
    assert.deepEqual(runs[0], runs[1]);
  });
});
