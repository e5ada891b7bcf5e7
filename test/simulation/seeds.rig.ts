import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { runSchedule } from "./run-schedule.js";

/** Schedules of one test file: the runner gives every file a process, so that all cores have work. */
export const SEEDS_PER_FILE = 500;
/** One test for so many seeds, so that a failure names a short range. */
const SEEDS_PER_TEST = 100;

/** Runs the schedules with the seeds from `first` on, {@link SEEDS_PER_FILE} of them. */
export function testSeedsFrom(first: number): void {
  suite("simulated worlds", () => {
    for (let from = first; from < first + SEEDS_PER_FILE; from += SEEDS_PER_TEST) {
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
  });
}
