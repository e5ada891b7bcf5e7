import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { suite, type TestContext, test } from "node:test";
import { buildRequest, waitUntil } from "@inode-gateway/testkit";
import { exportPaths, PlainGrpcClient } from "../conformance/otlp/grpc-client.js";
import { Backend } from "./backend.js";
import { RunningGateway } from "./running-gateway.js";
import { sendSpans } from "./spans.js";

async function unusedAddress(t: TestContext): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  t.diagnostic("nothing listens at the second destination");
  return `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

const sender = () => ({ "e2e.sender": "shared" });

suite("several pipelines", () => {
  test("share a receiver and an exporter, each signal on its own way", async (t) => {
    const backend = await Backend.start(t);
    const exporters = ["otlp"];
    const gateway = await RunningGateway.start(t, {
      extensions: { memory_registry: {} },
      processors: { batch: { timeout: "20ms" }, inode_resolver: { registry: "memory_registry" } },
      exporters: { otlp: { endpoint: backend.address, tls: { insecure: true } } },
      pipelines: {
        traces: { receivers: ["otlp"], exporters },
        "traces/batched": { receivers: ["otlp"], processors: ["batch"], exporters },
        metrics: { receivers: ["otlp"], processors: ["inode_resolver", "batch"], exporters },
        logs: { receivers: ["otlp"], processors: ["inode_resolver"], exporters },
      },
    });
    const client = new PlainGrpcClient(t, gateway.grpc);
    for (const signal of ["traces", "metrics", "logs"] as const) {
      const request = buildRequest(signal, { itemsPerScope: 20, resourceAttributes: sender });
      assert.equal((await client.call(exportPaths[signal], request)).code, 0);
    }
    const profiles = await client.call(exportPaths.profiles, Buffer.of());
    assert.equal(profiles.code, 12, "no pipeline, no service");
    const count = (signal: "traces" | "metrics" | "logs") =>
      backend.itemsFrom("shared", signal).length;
    await waitUntil(
      () => count("traces") === 40 && count("metrics") === 20 && count("logs") === 20,
    );
    assert.equal(await gateway.metric("otelcol_receiver_accepted_spans"), 20, "counted once");
    assert.equal(await gateway.metric("otelcol_exporter_sent_spans"), 40);
    assert.equal(await gateway.process.stop(), 0, gateway.process.stderr);
    const identities = gateway.process.log().filter(({ accepted }) => accepted !== undefined);
    assert.deepEqual(
      identities.map(({ exporter, signal, accepted, delivered }) => [
        exporter,
        signal,
        accepted,
        delivered,
      ]),
      [
        ["otlp", "traces", 40, 40],
        ["otlp", "metrics", 20, 20],
        ["otlp", "logs", 20, 20],
      ],
    );
  });

  test("a fan-out to two destinations serves the one that lives while the other is down", async (t) => {
    const backend = await Backend.start(t);
    const gateway = await RunningGateway.start(t, {
      exporters: {
        "otlp_grpc/alive": { endpoint: backend.address, tls: { insecure: true } },
        "otlp_grpc/down": {
          endpoint: await unusedAddress(t),
          tls: { insecure: true },
          retry_on_failure: { enabled: false },
        },
      },
      pipelines: {
        traces: { receivers: ["otlp"], exporters: ["otlp_grpc/down", "otlp_grpc/alive"] },
      },
    });
    for (let count = 0; count < 10; count++) {
      assert.equal((await sendSpans(gateway.http, "fan-out", {}, 5)).status, 200);
    }
    // Longer than the first delay of a retry: a busy machine may fail the first connection.
    await waitUntil(() => backend.itemsFrom("fan-out", "traces").length === 50, {
      limitMs: 20_000,
      description: "the living destination has everything",
    });
    const down = { exporter: "otlp_grpc/down" };
    await waitUntil(
      async () => (await gateway.metric("otelcol_exporter_send_failed_spans", down)) === 50,
      { limitMs: 20_000, description: "the other destination's failures are counted" },
    );
    const alive = { exporter: "otlp_grpc/alive" };
    assert.equal(await gateway.metric("otelcol_exporter_sent_spans", alive), 50);
    assert.equal(await gateway.process.stop(), 0, gateway.process.stderr);
  });

  // Scenario: without a queue the sender is told what the destinations say.
  test("without queues a destination that is down refuses the sender, and the identity knows it", async (t) => {
    const backend = await Backend.start(t);
    const direct = { sending_queue: { enabled: false }, retry_on_failure: { enabled: false } };
    const gateway = await RunningGateway.start(t, {
      exporters: {
        "otlp_grpc/alive": { endpoint: backend.address, tls: { insecure: true }, ...direct },
        "otlp_grpc/down": {
          endpoint: await unusedAddress(t),
          tls: { insecure: true },
          timeout: "1s",
          ...direct,
        },
      },
      pipelines: {
        traces: { receivers: ["otlp"], exporters: ["otlp_grpc/alive", "otlp_grpc/down"] },
      },
    });
    assert.equal((await sendSpans(gateway.http, "refused", {}, 5)).status, 503);
    assert.equal(backend.itemsFrom("refused", "traces").length, 5);
    assert.equal(await gateway.metric("otelcol_receiver_refused_spans"), 5);
    assert.equal(await gateway.metric("otelcol_receiver_accepted_spans"), 0);
    assert.equal(await gateway.process.stop(), 0, gateway.process.stderr);
    const alive = gateway.process.log().find(({ exporter }) => exporter === "otlp_grpc/alive");
    assert.equal(alive?.["accepted"], 0);
    assert.equal(alive?.["deliveredButRefused"], 5);
    assert.equal(alive?.["delivered"], 5);
  });
});
