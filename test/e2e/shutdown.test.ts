import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { suite, type TestContext, test } from "node:test";
import { waitUntil } from "@inode-gateway/testkit";
import { HttpBackend } from "../conformance/otlp/backends.js";
import { exportPaths, PlainGrpcClient } from "../conformance/otlp/grpc-client.js";
import { Backend } from "./backend.js";
import type { LogLine } from "./executable.js";
import { RunningGateway } from "./running-gateway.js";
import { sendSpans, spansOf } from "./spans.js";

const traces = (processors: readonly string[], exporters: readonly string[]) => ({
  traces: { receivers: ["otlp"], processors, exporters },
});

/** The lines in which a gateway accounts for its items, each checked to come out even. */
function identities(gateway: RunningGateway): LogLine[] {
  const lines = gateway.process.log().filter(({ accepted }) => accepted !== undefined);
  for (const line of lines) {
    const { accepted, delivered, dropped, held = 0, inFlight = 0 } = line;
    const { deliveredButRefused = 0 } = line;
    const droppedItems = Object.values(dropped as Record<string, number>).reduce(
      (sum, items) => sum + items,
      0,
    );
    assert.equal(
      Number(accepted) + Number(deliveredButRefused),
      Number(delivered) + droppedItems + Number(held) + Number(inFlight),
      JSON.stringify(line),
    );
    assert.equal(line["unaccounted"], undefined);
  }
  return lines;
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Senders over both protocols, until the gateway takes nothing any more; counts what it took. */
function startLoad(t: TestContext, gateway: RunningGateway, itemsPerRequest: number) {
  const load = { acknowledged: 0, ended: Promise.resolve() };
  const body = spansOf("load", {}, itemsPerRequest);
  const overHttp = async () => {
    for (;;) {
      const answer = await sendSpans(gateway.http, "load", {}, itemsPerRequest).catch(
        () => undefined,
      );
      if (answer?.status !== 200) return;
      load.acknowledged += itemsPerRequest;
    }
  };
  const client = new PlainGrpcClient(t, gateway.grpc);
  const overGrpc = async () => {
    for (;;) {
      const { code } = await client.call(exportPaths.traces, body, { deadlineMs: 30_000 });
      if (code !== 0) return;
      load.acknowledged += itemsPerRequest;
    }
  };
  const workers = [overHttp(), overHttp(), overGrpc(), overGrpc(), overGrpc(), overGrpc()];
  load.ended = Promise.all(workers).then(() => undefined);
  return load;
}

suite("stopping", () => {
  test("SIGTERM under load: every acknowledged item arrives, the identity is exact, exit code 0", async (t) => {
    const backend = await Backend.start(t);
    const gateway = await RunningGateway.start(t, {
      extensions: { memory_registry: {} },
      processors: {
        inode_resolver: { registry: "memory_registry" },
        batch: { timeout: "500ms", send_batch_size: 100_000 },
      },
      exporters: { otlp_grpc: { endpoint: backend.address, tls: { insecure: true } } },
      pipelines: traces(["inode_resolver", "batch"], ["otlp_grpc"]),
    });
    const load = startLoad(t, gateway, 7);
    await waitUntil(() => load.acknowledged > 2_000, { limitMs: 20_000, description: "load" });
    gateway.process.signal("SIGTERM");
    await load.ended;
    assert.equal(await gateway.process.exited(), 0, gateway.process.stderr);

    const arrived = backend.itemsFrom("load", "traces").length;
    t.diagnostic(`${load.acknowledged} items acknowledged, ${arrived} arrived`);
    assert.ok(arrived >= load.acknowledged, `${arrived} of ${load.acknowledged}`);
    const [identity, ...others] = identities(gateway);
    assert.deepEqual(others, []);
    assert.equal(identity?.msg, "every accepted item is accounted for");
    assert.equal(identity["delivered"], arrived);
    assert.equal(identity["accepted"], arrived);
    assert.deepEqual(identity["dropped"], {});
    assert.deepEqual(gateway.messages("error"), []);
  });

  test("what cannot be delivered at the end is counted by reason, exit code 0", async (t) => {
    const gateway = await RunningGateway.start(t, {
      exporters: {
        otlp_grpc: { endpoint: `127.0.0.1:${await closedPort()}`, tls: { insecure: true } },
      },
      pipelines: traces([], ["otlp_grpc"]),
    });
    for (let count = 0; count < 3; count++) await sendSpans(gateway.http, "lost", {}, 10);
    assert.equal(await gateway.process.stop(), 0, gateway.process.stderr);
    const [identity] = identities(gateway);
    assert.equal(identity?.["accepted"], 30);
    assert.equal(identity?.["delivered"], 0);
    const dropped = Object.values(identity?.["dropped"] as Record<string, number>);
    assert.equal(
      dropped.reduce((sum, items) => sum + items, 0),
      30,
    );
  });

  // Scenario: the backend takes requests and never answers, so that draining would take its time.
  test("a second SIGTERM ends it at once with exit code 1", async (t) => {
    const backend = await HttpBackend.start(t);
    backend.answer = () => new Promise(() => undefined);
    const gateway = await RunningGateway.start(t, {
      exporters: { otlp_http: { endpoint: backend.url } },
      pipelines: traces([], ["otlp_http"]),
    });
    await sendSpans(gateway.http, "stuck", {});
    await waitUntil(() => backend.requests.length > 0);
    gateway.process.signal("SIGTERM");
    await gateway.process.logged(({ msg }) => msg.startsWith("stopping, a second"), "the stop");
    const startMs = performance.now();
    gateway.process.signal("SIGTERM");
    assert.equal(await gateway.process.exited(), 1);
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs < 2_000, `${tookMs} ms`);
    assert.equal(
      gateway.messages("error").at(-1),
      "stopping at once, what is not delivered yet is lost",
    );
  });

  test("a connection that stays open does not hold the stop up", async (t) => {
    const backend = await Backend.start(t);
    const gateway = await RunningGateway.start(t, {
      exporters: { otlp_grpc: { endpoint: backend.address, tls: { insecure: true } } },
      pipelines: traces([], ["otlp_grpc"]),
    });
    const client = new PlainGrpcClient(t, gateway.grpc);
    assert.equal((await client.call(exportPaths.traces, spansOf("idle", {}))).code, 0);
    assert.equal((await sendSpans(gateway.http, "idle", {})).status, 200);
    const startMs = performance.now();
    assert.equal(await gateway.process.stop(), 0, gateway.process.stderr);
    assert.ok(performance.now() - startMs < 5_000, `${performance.now() - startMs} ms`);
    assert.equal(backend.itemsFrom("idle", "traces").length, 2);
  });
});
