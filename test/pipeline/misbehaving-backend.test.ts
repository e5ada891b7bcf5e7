import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { builtInFactories } from "@inode-gateway/components";
import { loadConfiguration } from "@inode-gateway/config";
import {
  type AccountingSnapshot,
  checkConfiguration,
  createPipelineRuntime,
  type PipelineRuntime,
} from "@inode-gateway/pipeline";
import {
  buildRequest,
  CapturingLogger,
  decodedItemCount,
  RecordingMeter,
  realClock,
  seededRandom,
} from "@inode-gateway/testkit";
import { z } from "zod";
import { type GrpcAnswer, GrpcBackend, type SeenCall } from "../conformance/otlp/backends.js";
import { exportPaths, PlainGrpcClient } from "../conformance/otlp/grpc-client.js";

const requestCount = 300;
const concurrentSenders = 12;
const seed = Number(process.env["PIPELINE_SEED"] ?? 20_260_103);

/** How likely a backend's answers are; the rest is OK. */
interface Manners {
  readonly unavailable: number;
  readonly invalid: number;
  readonly slow: number;
}

async function startBackend(t: TestContext, random: () => number, manners: Manners) {
  const backend = await GrpcBackend.start(t);
  const taken = { items: 0 };
  backend.answer = async (call: SeenCall): Promise<GrpcAnswer> => {
    const dice = random();
    if (random() < manners.slow) await new Promise((resolve) => setTimeout(resolve, 30));
    if (dice < manners.unavailable) return { code: 14, message: "come back" };
    if (dice < manners.unavailable + manners.invalid) return { code: 3, message: "not this one" };
    taken.items += decodedItemCount("traces", call.message);
    return {};
  };
  return { backend, taken };
}

/** A whole graph of the real components inside this process. */
async function startRuntime(document: object, logger: CapturingLogger): Promise<PipelineRuntime> {
  const tree = await loadConfiguration({
    configs: [`yaml:${JSON.stringify(document)}`],
    sets: [],
    environment: {},
  });
  const result = checkConfiguration(tree, builtInFactories, { telemetrySchema: z.unknown() });
  assert.ok("checked" in result, JSON.stringify(result));
  const runtime = createPipelineRuntime({
    checked: result.checked,
    logger,
    meter: new RecordingMeter(),
    clock: realClock,
    random: Math.random,
    build: { command: "test", version: "0.0.0" },
  });
  await runtime.start();
  return runtime;
}

function exporterTo(endpoint: string, queue: object) {
  return {
    endpoint,
    tls: { insecure: true },
    timeout: "30s",
    sending_queue: queue,
    retry_on_failure: { initial_interval: "5ms", max_interval: "20ms", max_elapsed_time: "100ms" },
  };
}

function assertAccounted(snapshot: AccountingSnapshot): void {
  for (const identity of snapshot.identities) {
    const { accepted, deliveredButRefused, deliveredEarly } = identity;
    const { delivered, dropped, held, inFlight, unaccounted } = identity;
    assert.equal(unaccounted, 0, JSON.stringify(identity));
    assert.equal(
      accepted + deliveredButRefused + deliveredEarly,
      delivered + dropped + held + inFlight,
      JSON.stringify(identity),
    );
  }
}

const queues = {
  "no queue": { enabled: false },
  "a small queue": { queue_size: 5, num_consumers: 2 },
  "a small queue that blocks": { queue_size: 5, num_consumers: 2, block_on_overflow: true },
  "a queue that waits for the result": { queue_size: 50, wait_for_result: true },
} as const;

suite(`the accounting identity with backends that misbehave, seed ${seed} (PIPELINE_SEED)`, () => {
  for (const [name, queue] of Object.entries(queues)) {
    for (const processors of [[], ["batch"]]) {
      // Scenario: two destinations, one mostly rude and one mostly slow, under concurrent senders.
      test(`${name}, ${processors.length === 0 ? "no processor" : "batch"}: exact at every moment and at the end`, async (t) => {
        const random = seededRandom(seed);
        const rude = await startBackend(t, random, { unavailable: 0.3, invalid: 0.2, slow: 0 });
        const slow = await startBackend(t, random, { unavailable: 0.05, invalid: 0, slow: 0.3 });
        const logger = new CapturingLogger();
        const runtime = await startRuntime(
          {
            receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" } } } },
            processors: { batch: { timeout: "10ms", send_batch_size: 100 } },
            exporters: {
              "otlp_grpc/rude": exporterTo(rude.backend.endpoint, queue),
              "otlp_grpc/slow": exporterTo(slow.backend.endpoint, queue),
            },
            service: {
              pipelines: {
                traces: {
                  receivers: ["otlp"],
                  processors,
                  exporters: ["otlp_grpc/rude", "otlp_grpc/slow"],
                },
              },
            },
          },
          logger,
        );
        const listening = logger.records.find(({ message }) => message === "Receiving OTLP");
        const client = new PlainGrpcClient(t, String(listening?.fields["endpoint"]));
        let acknowledged = 0;
        let refused = 0;
        let left = requestCount;
        const sender = async () => {
          while (left-- > 0) {
            const items = 1 + Math.floor(random() * 20);
            const request = buildRequest("traces", { itemsPerScope: items });
            const { code } = await client.call(exportPaths.traces, request, { deadlineMs: 30_000 });
            if (code === 0) acknowledged += items;
            else refused += items;
            assertAccounted(runtime.accounting());
          }
        };
        await Promise.all(Array.from({ length: concurrentSenders }, sender));
        await runtime.shutdown(performance.now() + 10_000);

        const end = runtime.accounting();
        assertAccounted(end);
        for (const [id, { items }] of [
          ["otlp_grpc/rude", rude.taken],
          ["otlp_grpc/slow", slow.taken],
        ] as const) {
          const identity = end.identities.find((one) => one.id === id);
          assert.equal(identity?.accepted, acknowledged, "what the senders were told");
          assert.equal(identity.delivered, items, "what the backend took");
          assert.equal(identity.held + identity.inFlight + identity.deliveredEarly, 0);
        }
        const [entrance] = end.pipelines;
        // What the receiver refused before it read it has not come to the pipeline.
        assert.ok(entrance !== undefined && entrance.refused <= refused);
        assert.equal(entrance.offered, acknowledged + entrance.refused);
        t.diagnostic(`${acknowledged} acknowledged, ${refused} refused`);
      });
    }
  }
});
