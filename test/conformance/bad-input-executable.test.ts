import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, type TestContext, test } from "node:test";
import { decodeRequest, seededRandom, waitUntil } from "@inode-gateway/testkit";
import { Agent } from "undici";
import { RunningGateway } from "../e2e/running-gateway.js";
import {
  assertLegalAnswer,
  assertLegalStatus,
  corpus,
  httpPaths,
  httpRequest,
  inParallel,
  mutate,
  oneOf,
  unknownMethod,
} from "./mutated-requests.js";
import { GrpcBackend } from "./otlp/backends.js";
import { exportPaths, PlainGrpcClient } from "./otlp/grpc-client.js";
import { send } from "./otlp/http-client.js";

/** Requests over each transport. */
const requestCount = 1_000;
const concurrentRequests = 16;
const growthBytesMax = 200 * 1_048_576;
const seed = Number(process.env["BAD_INPUT_SEED"] ?? 20_260_102);

/** Everything of the product that touches a request's bytes, in one process. */
async function startGateway(t: TestContext, backend: GrpcBackend): Promise<RunningGateway> {
  const processors = ["inode_resolver", "batch"];
  const exporters = ["otlp_grpc", "debug"];
  const pipeline = { receivers: ["otlp"], processors, exporters };
  return RunningGateway.start(t, {
    extensions: { memory_registry: {} },
    processors: { inode_resolver: { registry: "memory_registry" }, batch: { timeout: "50ms" } },
    exporters: {
      otlp_grpc: { endpoint: backend.endpoint, tls: { insecure: true } },
      debug: { verbosity: "detailed", sampling_initial: 1, sampling_thereafter: 10 },
    },
    pipelines: { traces: pipeline, metrics: pipeline, logs: pipeline },
  });
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
}

suite(`mutated requests to the executable, seed ${seed} (BAD_INPUT_SEED)`, () => {
  // Scenario: what gets through is resolved, merged, printed and exported; the backend decodes all of it
  // with protobufjs.
  test(`${requestCount} over HTTP and as many over gRPC: legal answers, no harm, nothing broken exported`, async (t) => {
    t.diagnostic(`seed ${seed}`);
    const backend = await GrpcBackend.start(t);
    const gateway = await startGateway(t, backend);
    const client = new PlainGrpcClient(t, gateway.grpc);
    const dispatcher = new Agent({ connections: concurrentRequests });
    t.after(() => dispatcher.destroy());
    const random = seededRandom(seed);
    const before = residentBytes(gateway.process.pid);
    let peak = before;
    const codes = new Map<string, number>();
    const count = (code: string) => codes.set(code, (codes.get(code) ?? 0) + 1);
    const assertValidSucceeds = async () => {
      const { signal, bytes } = oneOf(random, corpus);
      assert.equal((await client.call(exportPaths[signal], bytes)).code, 0);
      const url = `http://${gateway.http}${httpPaths[signal]}`;
      assert.equal((await send(url, bytes, { dispatcher })).status, 200);
    };

    await inParallel(requestCount, concurrentRequests, async (index) => {
      const { path, headers, body } = httpRequest(random);
      const url = `http://${gateway.http}${path}`;
      const answer = await send(url, body, { headers, dispatcher });
      assertLegalAnswer(answer, headers["content-type"] ?? "");
      count(`http ${answer.status}`);

      const { bytes, signal } = oneOf(random, corpus);
      const method = random() < 0.02 ? unknownMethod : exportPaths[signal];
      const { code, message } = await client.call(method, mutate(random, bytes));
      assertLegalStatus(code, message, method);
      count(`grpc ${code}`);

      if (index % 50 !== 49) return;
      await assertValidSucceeds();
      peak = Math.max(peak, residentBytes(gateway.process.pid));
    });
    await assertValidSucceeds();
    t.diagnostic(JSON.stringify(Object.fromEntries([...codes].sort())));
    t.diagnostic(`grew by ${Math.round((peak - before) / 1_048_576)} MiB`);
    for (const code of ["http 200", "http 400", "grpc 0", "grpc 3"]) {
      assert.ok((codes.get(code) ?? 0) > requestCount / 20, code);
    }
    assert.ok(peak - before < growthBytesMax, `grew by ${peak - before} bytes`);
    const bugs = await gateway.metric("inode_gateway_component_bugs");
    assert.equal(bugs, 0);
    assert.equal(await gateway.process.stop(), 0, gateway.process.stderr.slice(-2_000));

    const exported = gateway.process.log().find(({ accepted }) => accepted !== undefined);
    assert.equal(exported?.msg, "every accepted item is accounted for");
    await waitUntil(() => backend.calls.length > 0);
    for (const { path, message } of backend.calls) {
      const signal = corpus.find((entry) => exportPaths[entry.signal] === path)?.signal;
      assert.ok(signal !== undefined);
      decodeRequest(signal, message);
    }
    assert.deepEqual(gateway.messages("error"), []);
    assert.doesNotMatch(gateway.process.stderr, /^\s+at |"stack":|\\n {4}at /m);
  });
});
