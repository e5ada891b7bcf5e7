import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { createTestBatch } from "@inode-gateway/testkit";
import { GrpcBackend, HttpBackend } from "./backends.js";
import { startGrpcExporter, startHttpExporter } from "./exporter-fixture.js";
import { exportPaths, PlainGrpcClient } from "./grpc-client.js";
import { readStatus, send } from "./http-client.js";
import { startReceiver } from "./receiver-fixture.js";

// The Collector's matrices (collector: internal/e2e/error_propagation_test.go), through real
// sockets: client, receiver, exporter without queue and retry, backend.

/** A gRPC backend's code, and what clients are told. */
const grpcBackendCases: readonly (readonly [
  code: number,
  grpcClient: number,
  httpClient: number,
])[] = [
  [1, 1, 503],
  [2, 2, 500],
  [3, 3, 400],
  [4, 4, 503],
  [5, 5, 500],
  [6, 6, 500],
  [7, 7, 403],
  [8, 8, 429],
  [9, 9, 500],
  [10, 10, 503],
  [11, 11, 503],
  [12, 12, 404],
  [13, 13, 500],
  [14, 14, 503],
  [15, 15, 503],
  [16, 16, 401],
];

/**
 * An HTTP backend's status, and what clients are told. Beside the Collector's matrix: 429 is
 * UNAVAILABLE with RetryInfo for a gRPC client, who would take RESOURCE_EXHAUSTED for final; 413 stays
 * what it is.
 */
const httpBackendCases: readonly (readonly [
  status: number,
  grpcClient: number,
  httpClient: number,
])[] = [
  [400, 3, 400],
  [401, 16, 401],
  [403, 7, 403],
  [404, 12, 404],
  [409, 2, 500],
  [413, 8, 413],
  [418, 2, 500],
  [429, 14, 429],
  [500, 2, 500],
  [501, 2, 500],
  [502, 14, 503],
  [503, 14, 503],
  [504, 14, 503],
];

const { bytes } = createTestBatch();

suite("a gRPC backend's status", () => {
  for (const [code, grpcClient, httpClient] of grpcBackendCases) {
    test(`${code} is ${grpcClient} over gRPC and ${httpClient} over HTTP`, async (t) => {
      const backend = await GrpcBackend.start(t);
      backend.answer = () => ({ code, message: `says ${code}` });
      const told = await askThrough(t, await grpcPath(t, backend));
      assert.deepEqual(told.grpc, [grpcClient, `says ${code}`, undefined]);
      assert.deepEqual(told.http, [httpClient, grpcClient, `says ${code}`, undefined]);
    });
  }

  for (const code of [8, 14]) {
    test(`${code} with RetryInfo keeps its delay both ways`, async (t) => {
      const backend = await GrpcBackend.start(t);
      backend.answer = () => ({ code, message: "later", retrySeconds: 4.2 });
      const told = await askThrough(t, await grpcPath(t, backend));
      assert.deepEqual(told.grpc, [code, "later", 4.2]);
      assert.deepEqual(told.http, [code === 8 ? 429 : 503, code, "later", "5"]);
    });
  }
});

suite("an HTTP backend's status", () => {
  for (const [status, grpcClient, httpClient] of httpBackendCases) {
    test(`${status} is ${grpcClient} over gRPC and ${httpClient} over HTTP`, async (t) => {
      const backend = await HttpBackend.start(t);
      const body = JSON.stringify({ code: 2, message: `says ${status}` });
      backend.answer = () => ({ status, headers: { "content-type": "application/json" }, body });
      const told = await askThrough(t, await httpPath(t, backend));
      const delay = status === 429 ? 1 : undefined;
      const said = status === 413 ? /answered 413: says 413$|^says 413$/ : /^says \d+$/;
      assert.equal(told.grpc[0], grpcClient);
      assert.match(String(told.grpc[1]), said);
      assert.equal(told.grpc[2], delay);
      assert.equal(told.http[0], httpClient);
      assert.equal(told.http[1], grpcClient);
      assert.equal(told.http[3], delay === undefined ? undefined : "1");
    });
  }

  for (const status of [429, 503]) {
    test(`${status} with Retry-After keeps its delay both ways`, async (t) => {
      const backend = await HttpBackend.start(t);
      backend.answer = () => ({ status, headers: { "retry-after": "7" } });
      const told = await askThrough(t, await httpPath(t, backend));
      assert.equal(told.grpc[0], 14);
      assert.equal(told.grpc[2], 7);
      assert.equal(told.http[0], status);
      assert.equal(told.http[3], "7");
    });
  }
});

async function grpcPath(t: TestContext, { endpoint }: GrpcBackend) {
  return (await startGrpcExporter(t, { endpoint, tls: { insecure: true } })).exporter;
}

async function httpPath(t: TestContext, { url }: HttpBackend) {
  return (await startHttpExporter(t, { endpoint: url })).exporter;
}

async function askThrough(t: TestContext, output: Awaited<ReturnType<typeof grpcPath>>) {
  const receiver = await startReceiver(t, { output });
  const client = new PlainGrpcClient(t, receiver.grpcAddress);
  const overGrpc = await client.call(exportPaths.traces, bytes);
  const overHttp = await send(`${receiver.httpUrl}/v1/traces`, bytes);
  const status = readStatus(overHttp);
  return {
    grpc: [overGrpc.code, overGrpc.message, overGrpc.retrySeconds] as const,
    http: [overHttp.status, status.code, status.message, overHttp.headers["retry-after"]] as const,
  };
}
