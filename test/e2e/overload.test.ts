import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { env } from "node:process";
import { test } from "node:test";
import { waitUntil } from "@inode-gateway/testkit";
import { OpenLoad, quantile, requestBytes, SlowBackend } from "./overload-load.js";
import { RunningGateway } from "./running-gateway.js";

/** `INODE_GATEWAY_OVERLOAD_SECONDS=60` is the long version. */
const loadSeconds = Number(env["INODE_GATEWAY_OVERLOAD_SECONDS"] ?? 15);

const limitMib = 256;
const spikeMib = 64;
const mib = 1_048_576;
/** The backend takes ten requests at a time, each in this time: 200 a second, 20 MB. */
const backendDelayMs = 50;
const numConsumers = 10;
const backendPerSecond = (numConsumers * 1_000) / backendDelayMs;

const timerResolutionMs = 5;

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
  const load = new OpenLoad(t, gateway, 2 * backendPerSecond);
  const lateness = monitorEventLoopDelay({ resolution: timerResolutionMs });
  lateness.enable();
  const outcome = await load.run(loadSeconds * 1_000);
  lateness.disable();
  const latenessMs = lateness.max / 1e6;
  const peakBytes = peakResidentBytes(gateway.process.pid);
  const tookMs = outcome.refusals.map((refusal) => refusal.tookMs);
  const bombs = outcome.refusals.filter(({ kind }) => kind === "bomb").length;
  const collections = await gateway.metric("inode_gateway_memory_limiter_collections");
  t.diagnostic(
    `${outcome.sent} requests of ${requestBytes} bytes in ${loadSeconds} s, ` +
      `${outcome.acknowledged.size} acknowledged, ${outcome.refusals.length} refused ` +
      `(${bombs} bombs), ${outcome.bombsTooLarge} bombs too large; ` +
      `resident at most ${Math.round(peakBytes / mib)} of ${limitMib} MiB; ` +
      `refusals p50 ${quantile(tookMs, 0.5).toFixed(1)}, p99 ${quantile(tookMs, 0.99).toFixed(1)}, ` +
      `max ${quantile(tookMs, 1).toFixed(1)} ms (senders late by ${latenessMs.toFixed(1)} ms at most); ` +
      `${collections} collections`,
  );
  assert.deepEqual(outcome.unexpected, []);
  assert.ok(outcome.refusals.length > 0, "the load is more than it takes");
  assert.ok(bombs > 0, "bombs were refused without being taken apart");
  assert.ok(peakBytes < limitMib * mib, `resident memory reached ${peakBytes} bytes`);
  // How late the senders' own timers are says how busy the machine is with others: the gateway waits for
  // a processor as they do, and an answer crosses both processes twice.
  const busyMs = 5 * (lateness.percentile(99) / 1e6 - timerResolutionMs);
  assert.ok(quantile(tookMs, 0.99) < 100 + busyMs, "99 of 100 refusals within 100 ms");
  for (const { kind, retrySeconds } of outcome.refusals) {
    assert.ok((retrySeconds ?? 0) >= 1, `${kind} refusal says ${retrySeconds} s`);
  }

  backend.delayMs = 0;
  await waitUntil(() => backend.numbers.size >= outcome.acknowledged.size, {
    limitMs: 30_000,
    description: "everything acknowledged is delivered",
  });
  for (const number of outcome.acknowledged) assert.ok(backend.numbers.has(number), `${number}`);
  assert.equal(backend.repeated, 0);
  assert.equal(await gateway.process.stop(), 0);
});
