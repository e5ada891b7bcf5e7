// The executable at about half of what it can take, for ten minutes: nothing may grow, nothing may be
// lost. `--minutes M` is another time, `--persistent` puts the queue on disk, `--share 0.5` is the part
// of the capacity. Ends with 1 when anything grew or was lost. Method: bench/README.md.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { mappingLines } from "../gateway/bench-cases.js";
import { AnsweringProcess } from "../gateway/child-process.js";
import type { SinkReport } from "../gateway/sink-process.js";
import { type SoakLoadReply, type SoakLoadRequest, spansPerRequest } from "./soak-load.js";
import { type Sample, SoakedGateway } from "./soaked-gateway.js";
import { compareWindows } from "./verdict.js";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    share: { type: "string", default: "0.5" },
    persistent: { type: "boolean", default: false },
  },
});
const minutes = Number(values.minutes);
const share = Number(values.share);
if (!(minutes >= 0.5) || !(share > 0 && share <= 1)) {
  throw new RangeError("--minutes is at least 0.5, --share above 0 and at most 1");
}

const sampleMs = 1_000;
/** The first seconds of full load compile what runs often; they say nothing of the capacity. */
const warmUpMs = 5_000;
const calibrationMs = 5_000;
/** More than it can take: the senders then send the next request when one is answered. */
const withoutLimit = 1_000_000;
const drainLimitMs = 60_000;
const durationMs = minutes * 60_000;
/** A minute, or a quarter of a shorter soak: the second such window is compared with the last. */
const windowMs = Math.min(60_000, durationMs / 4);
const passes = (delayMs: number) => new Promise((resolve) => setTimeout(resolve, delayMs));

const folder = mkdtempSync(`${tmpdir()}/inode-gateway-soak-`);
const mappingsPath = `${folder}/mappings.jsonl`;
writeFileSync(mappingsPath, mappingLines());
const load = new AnsweringProcess<SoakLoadRequest, SoakLoadReply>("../soak/load-process.js");
const sink = new AnsweringProcess<{ readonly action: "count" }, SinkReport>("sink-process.js");
const { port: sinkPort } = await sink.nextMessage();
const isPersistent = values.persistent;
const gateway = new SoakedGateway({ folder, mappingsPath, sinkPort, isPersistent });
try {
  await gateway.ready();
  if (!(await soak())) process.exitCode = 1;
} finally {
  load.stop();
  sink.stop();
  await gateway.stop();
  rmSync(folder, { recursive: true });
}

async function soak(): Promise<boolean> {
  const capacity = await measureCapacity();
  const perSecond = Math.max(1, Math.round(capacity * share));
  console.log(
    `takes ${Math.round(capacity)} requests/s of ${spansPerRequest} spans; ` +
      `${minutes} min at ${perSecond} requests/s, queue ${isPersistent ? "on disk" : "in memory"}`,
  );
  await sendAt(perSecond);
  const samples: Sample[] = [];
  const startMs = performance.now();
  while (performance.now() - startMs < durationMs) {
    await passes(startMs + (samples.length + 1) * sampleMs - performance.now());
    samples.push(await gateway.sample());
    if (samples.length % 60 === 0) printSample(samples.length, samples.at(-1));
  }
  const perWindow = Math.max(1, Math.round((samples.length * windowMs) / durationMs));
  const comparisons = compareWindows(
    samples.slice(perWindow, 2 * perWindow),
    samples.slice(-perWindow),
  );
  console.log(`\nwindows of ${perWindow} s: the second, the last`);
  for (const { after, before, isFlat, name } of comparisons) {
    const figures = [before, after].map((value) => Math.round(value).toString().padStart(12));
    console.log(`  ${name.padEnd(44)}${figures.join("")}  ${isFlat ? "flat" : "GROWS"}`);
  }
  const isComplete = await nothingIsLost();
  const isGood = isComplete && comparisons.every(({ isFlat }) => isFlat);
  console.log(isGood ? "verdict: flat, and nothing was lost" : "verdict: NOT good");
  return isGood;
}

async function sendAt(perSecond: number): Promise<SoakLoadReply> {
  return load.ask({ grpcPort: gateway.port("grpc"), httpPort: gateway.port("http"), perSecond });
}

async function measureCapacity(): Promise<number> {
  await sendAt(withoutLimit);
  await passes(warmUpMs);
  const before = await sendAt(withoutLimit);
  const startMs = performance.now();
  await passes(calibrationMs);
  const after = await sendAt(1);
  return ((after.acknowledged - before.acknowledged) * 1_000) / (performance.now() - startMs);
}

async function nothingIsLost(): Promise<boolean> {
  const { acknowledged, failed } = await sendAt(0);
  const expected = acknowledged * spansPerRequest;
  const endMs = performance.now() + drainLimitMs;
  const arrived = async () => (await sink.ask({ action: "count" })).spans;
  while ((await arrived()) < expected && performance.now() < endMs) await passes(200);
  const spans = await arrived();
  const bugs = await gateway.metric("inode_gateway_component_bugs");
  const exitCode = await gateway.stop();
  const isAccounted = gateway.log.includes("every accepted item is accounted for");
  console.log(
    `${acknowledged} requests acknowledged, ${failed} failed; ${spans} of ${expected} spans arrived; ` +
      `${bugs} bugs, exit code ${exitCode}, ${isAccounted ? "all accounted for" : "NOT accounted for"}`,
  );
  return failed === 0 && spans === expected && bugs === 0 && exitCode === 0 && isAccounted;
}

function printSample(second: number, sample: Sample | undefined): void {
  if (sample === undefined) return;
  const mib = (sample.residentBytes / 1_048_576).toFixed(0);
  console.log(`  ${second} s: ${mib} MiB, ${sample.sockets} sockets, ${sample.timers} timers`);
}
