import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { builtInFactories } from "@inode-gateway/components";
import { loadConfiguration } from "@inode-gateway/config";
import { checkConfiguration, createPipelineRuntime } from "@inode-gateway/pipeline";
import {
  buildRequest,
  CapturingLogger,
  RecordingMeter,
  realClock,
  seededRandom,
  waitUntil,
} from "@inode-gateway/testkit";
import { z } from "zod";
import { GrpcBackend } from "../conformance/otlp/backends.js";
import { exportPaths, PlainGrpcClient } from "../conformance/otlp/grpc-client.js";

const REQUESTS = 60;
const SENDERS = 6;
const RETRY_MS = 5;

/** More tries than any request needs with this seed; a test that goes on for ever tells nothing. */
const TRIES_MAX = 200;

/** A backend that counts what it takes, by the bytes of the request. */
async function startBackend(t: TestContext, fails: () => boolean) {
  const backend = await GrpcBackend.start(t);
  const taken = new Map<string, number>();
  backend.answer = async ({ message }) => {
    if (fails()) return { code: 14, message: "come back" };
    const key = Buffer.from(message).toString("base64");
    taken.set(key, (taken.get(key) ?? 0) + 1);
    return {};
  };
  return { endpoint: backend.endpoint, taken };
}

async function startGateway(t: TestContext, exporters: Record<string, object>) {
  const document = {
    receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" } } } },
    exporters,
    service: {
      pipelines: { traces: { receivers: ["otlp"], exporters: Object.keys(exporters) } },
    },
  };
  const configs = [`yaml:${JSON.stringify(document)}`];
  const tree = await loadConfiguration({ configs, sets: [], environment: {} });
  const result = checkConfiguration(tree, builtInFactories, { telemetrySchema: z.unknown() });
  assert.ok("checked" in result, JSON.stringify(result));
  const logger = new CapturingLogger();
  const runtime = createPipelineRuntime({
    checked: result.checked,
    logger,
    meter: new RecordingMeter(),
    clock: realClock,
    random: Math.random,
    build: { command: "test", version: "0.0.0" },
  });
  await runtime.start();
  t.after(() => runtime.shutdown(performance.now() + 1_000));
  const listening = logger.records.find(({ message }) => message === "Receiving OTLP");
  return { runtime, address: String(listening?.fields["endpoint"]) };
}

/** Sends requests of different bytes, each until it is taken; gives how many tries that took. */
async function sendAll(t: TestContext, address: string): Promise<number> {
  const client = new PlainGrpcClient(t, address);
  let left = REQUESTS;
  let tries = 0;
  const sender = async () => {
    while (left > 0) {
      const seed = left--;
      const request = buildRequest("traces", { itemsPerScope: 1, seed });
      for (let count = 1; ; count++) {
        assert.ok(count <= TRIES_MAX, "a request is refused for ever");
        tries++;
        const { code } = await client.call(exportPaths.traces, request, { deadlineMs: 30_000 });
        if (code === 0) break;
        assert.equal(code, 14, "every refusal may be retried");
        await delay(RETRY_MS);
      }
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  return tries;
}

const tls = { insecure: true };
const direct = { tls, sending_queue: { enabled: false }, retry_on_failure: { enabled: false } };
const smallQueue = {
  tls,
  sending_queue: { queue_size: 3, num_consumers: 1 },
  retry_on_failure: { initial_interval: "2ms", max_interval: "2ms", max_elapsed_time: 0 },
};

// Scenario: one destination is healthy, the other fails 70 % of the calls; senders send the same bytes
// again until they are acknowledged.
suite("a fan-out to a healthy and a failing destination gives each request once to both", () => {
  for (const [name, options] of Object.entries({
    "without queues": direct,
    "whose queue is full": smallQueue,
  })) {
    test(name, async (t) => {
      const random = seededRandom(1);
      const healthy = await startBackend(t, () => false);
      const failing = await startBackend(t, () => random() < 0.7);
      const { address, runtime } = await startGateway(t, {
        "otlp_grpc/healthy": { endpoint: healthy.endpoint, ...options },
        "otlp_grpc/failing": { endpoint: failing.endpoint, ...options },
      });
      const tries = await sendAll(t, address);
      // A stop would give up what is queued; that is another test's.
      await waitUntil(() => failing.taken.size === REQUESTS, { limitMs: 20_000 });
      await runtime.shutdown(performance.now() + 10_000);
      t.diagnostic(`${tries} tries for ${REQUESTS} requests`);
      assert.ok(tries > REQUESTS, "the scenario has come about");
      for (const { taken } of [healthy, failing]) {
        assert.equal(taken.size, REQUESTS);
        assert.ok([...taken.values()].every((count) => count === 1));
      }
      for (const identity of runtime.accounting().identities) {
        assert.equal(identity.accepted, identity.delivered, identity.id);
        assert.deepEqual([identity.deliveredButRefused, identity.unaccounted], [0, 0]);
      }
    });
  }
});
