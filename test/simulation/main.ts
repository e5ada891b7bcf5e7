import { parseArgs } from "node:util";
import { runSchedule } from "./run-schedule.js";

/** A line about progress comes after so many schedules. */
const REPORT_EVERY = 1_000;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    show: { type: "boolean", default: false },
  },
});
const seeds = Number(values.seeds);
const from = Number(values.from);
if (!Number.isSafeInteger(seeds) || seeds < 1 || !Number.isSafeInteger(from)) {
  throw new RangeError("--seeds and --from are whole numbers, --seeds at least 1");
}

const startMs = performance.now();
let failed = 0;
let items = 0;
for (let seed = from; seed < from + seeds; seed++) {
  const result = await runSchedule(seed);
  items += result.items;
  if (values.show) console.log(JSON.stringify(result, undefined, 2));
  if (result.violations.length > 0) {
    failed++;
    console.log(
      `seed ${seed}: run it again with npm run simulate -- --seeds 1 --from ${seed} --show`,
    );
    for (const violation of result.violations) console.log(`  ${violation}`);
  }
  const done = seed - from + 1;
  if (done % REPORT_EVERY === 0) report(done);
}
report(seeds);
if (failed > 0) process.exitCode = 1;

function report(done: number): void {
  const seconds = (performance.now() - startMs) / 1_000;
  const rate = Math.round((done / seconds) * 60);
  console.log(
    `${done} schedules, ${items} items, ${failed} failed, ${seconds.toFixed(1)} s, ${rate} a minute`,
  );
}
