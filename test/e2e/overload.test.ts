import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { env } from "node:process";
import { test } from "node:test";
import { waitUntil } from "@inode-gateway/testkit";
import { OpenLoad, quantile, SlowBackend, separate } from "./overload-load.js";
import { requestBytes } from "./overload-request.js";
import { RunningGateway } from "./running-gateway.js";

/** `INODE_GATEWAY_OVERLOAD_SECONDS=60` is the long version. */
const loadSeconds = Number(env["INODE_GATEWAY_OVERLOAD_SECONDS"] ?? 15);

const isLong = loadSeconds >= 60;
const limitMib = 256;
const spikeMib = 64;
const mib = 1_048_576;
/** The backend takes ten requests at a time, each in this time: 200 a second, 20 MB. */
const backendDelayMs = 50;
const numConsumers = 10;
const backendPerSecond = (numConsumers * 1_000) / backendDelayMs;

function times(valuesMs: readonly number[]): string {
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => quantile(valuesMs, share).toFixed(1));
  return `p50 ${p50}, p99 ${p99}, max ${max} ms`;
}

/** The highest resident memory of a process so far, as the kernel has counted it. */
function peakResidentBytes(pid: number): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) * 1_024;
}

function overloadedGateway(backend: string) {
  const maxMib = 16;
  return {
    receivers: {
      otlp: {
        protocols: {
          grpc: { endpoint: "127.0.0.1:0", max_recv_msg_size_mib: maxMib },
          http: { endpoint: "127.0.0.1:0", max_request_body_size: maxMib * mib },
        },
        max_in_flight_bytes: 32 * mib,
      },
    },
    processors: { memory_limiter: { limit_mib: limitMib, spike_limit_mib: spikeMib } },
    exporters: {
      otlp_grpc: {
        endpoint: backend,
        tls: { insecure: true },
        compression: "none",
        // Memory is the limit, not the queue.
        sending_queue: { num_consumers: numConsumers, queue_size: 1_000_000 },
      },
    },
    pipelines: {
      traces: { receivers: ["otlp"], processors: ["memory_limiter"], exporters: ["otlp_grpc"] },
    },
  };
}

// Scenario: twice as much arrives as the backend takes, and among it gzip bombs of 50 MB.
// Guarantees: resident memory stays below the hard limit; refusals are quick and say when to come
// back; all that was acknowledged is delivered, once. Not proven: other sizes of requests.
test("at twice the load memory stays within its limit and nothing acknowledged is lost", async (t) => {
  const backend = await SlowBackend.start(t, backendDelayMs);
  const gateway = await RunningGateway.start(t, overloadedGateway(backend.address));
  const load = OpenLoad.start(t);
  const { pid } = gateway.process;
  const places = isLong ? separate(pid, load.pid) : "not pinned";
  const outcome = await load.run({
    grpc: gateway.grpc,
    http: gateway.http,
    gatewayPid: pid,
    perSecond: 2 * backendPerSecond,
    durationMs: loadSeconds * 1_000,
  });
  const peakBytes = peakResidentBytes(pid);
  const tookMs = outcome.refusals.map((refusal) => refusal.tookMs);
  const netMs = outcome.refusals.map((refusal) => Math.max(0, refusal.tookMs - refusal.waitedMs));
  const bombs = outcome.refusals.filter(({ kind }) => kind === "bomb").length;
  const collections = await gateway.metric("inode_gateway_memory_limiter_collections");
  const slowest = [...outcome.refusals].sort((left, right) => right.tookMs - left.tookMs)[0];
  t.diagnostic(
    `${outcome.sent} requests of ${requestBytes} bytes in ${loadSeconds} s, ` +
      `${outcome.acknowledged.length} acknowledged, ${outcome.refusals.length} refused ` +
      `(${bombs} bombs), ${outcome.bombsTooLarge} bombs too large; ` +
      `resident at most ${Math.round(peakBytes / mib)} of ${limitMib} MiB; refusals ${times(tookMs)} (${slowest?.kind}); ` +
      `without waiting for a processor ${times(netMs)}; sender's timers late by ` +
      `${outcome.lateByMs.p99.toFixed(1)} ms (p99), ${outcome.lateByMs.max.toFixed(1)} ms (max); ` +
      `${collections} collections; ${places}`,
  );
  assert.deepEqual(outcome.unexpected, []);
  assert.ok(outcome.refusals.length > 0, "the load is more than it takes");
  assert.ok(bombs > 0, "bombs were refused without being taken apart");
  assert.ok(peakBytes < limitMib * mib, `resident memory reached ${peakBytes} bytes`);
  // The short version runs beside other tests: there the time without a processor is nobody's fault.
  const quickMs = isLong ? tookMs : netMs;
  assert.ok(quantile(quickMs, 0.99) < 100, "99 of 100 refusals within 100 ms");
  for (const { kind, retrySeconds } of outcome.refusals) {
    assert.ok((retrySeconds ?? 0) >= 1, `${kind} refusal says ${retrySeconds} s`);
  }

  backend.delayMs = 0;
  await waitUntil(() => backend.numbers.size >= outcome.acknowledged.length, {
    limitMs: 30_000,
    description: "everything acknowledged is delivered",
  });
  for (const number of outcome.acknowledged) assert.ok(backend.numbers.has(number), `${number}`);
  assert.equal(backend.repeated, 0);
  assert.equal(await gateway.process.stop(), 0);
});
