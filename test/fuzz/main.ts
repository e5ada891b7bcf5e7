// `npm run fuzz -- --requests N --seed S`: sends N mutated requests to the executable; the exit code is
// 1 when it did anything that no receiver may do. What it does: test/fuzz/README.md.
import { parseArgs } from "node:util";
import { type CampaignReport, type Finding, runCampaign } from "./campaign.js";

/** A line about progress comes after so many requests. */
const REPORT_EVERY = 5_000;

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
  },
});
const [requests, seed, from] = [values.requests, values.seed, values.from].map(Number);
if (![requests, seed, from].every(Number.isSafeInteger) || !requests || requests < 1) {
  throw new RangeError("--requests, --seed and --from are whole numbers, --requests at least 1");
}

const startMs = performance.now();
const seconds = () => ((performance.now() - startMs) / 1_000).toFixed(1);
const cleanUps: (() => unknown)[] = [];
let nextReport = REPORT_EVERY;
try {
  const report = await runCampaign(
    { after: (task) => void cleanUps.unshift(task) },
    {
      requests,
      seed: seed ?? 1,
      from: from ?? 0,
      onProgress: (sent, cases) => {
        if (sent < nextReport) return;
        nextReport += REPORT_EVERY;
        console.log(`${sent} requests in ${cases} cases, ${seconds()} s`);
      },
    },
  );
  print(report);
  if (report.findings.length > 0) process.exitCode = 1;
} finally {
  for (const cleanUp of cleanUps) await cleanUp();
}

function print(report: CampaignReport): void {
  for (const [outcome, count] of [...report.outcomes].sort()) console.log(`  ${outcome}: ${count}`);
  for (const [kind, count] of report.requestsByKind) console.log(`${kind}: ${count} requests`);
  for (const finding of report.findings) console.log(text(finding));
  const grownMib = Math.round(report.growthBytes / 1_048_576);
  console.log(
    `${report.requests} requests in ${report.cases} cases, seed ${seed}, ${seconds()} s, ` +
      `memory grew by ${grownMib} MiB at most, ${report.findings.length} findings`,
  );
}

function text({ caseNumber, kind, problem }: Finding): string {
  if (caseNumber === undefined) return `FINDING (${kind}): ${problem}`;
  const again = `npm run fuzz -- --requests 1 --seed ${seed} --from ${caseNumber}`;
  return `FINDING (${kind}): ${problem}\n  run it again with ${again}`;
}
