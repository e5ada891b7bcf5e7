import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { PermanentError, RetryableError } from "@inode-gateway/contract";
import { createTestBatch } from "@inode-gateway/testkit";
import { exportPaths, PlainGrpcClient } from "./grpc-client.js";
import { readStatus, send } from "./http-client.js";
import { startReceiver } from "./receiver-fixture.js";

interface Case {
  readonly what: string;
  readonly error: () => unknown;
  readonly grpcCode: number;
  readonly httpStatus: number;
  readonly retrySeconds?: number;
  readonly retryAfter?: string;
  readonly message?: string;
}

const retryable =
  (code: ConstructorParameters<typeof RetryableError>[0], retryAfterMs?: number) => () =>
    new RetryableError(code, "later", { retryAfterMs });
const permanent = (code: ConstructorParameters<typeof PermanentError>[0]) => () =>
  new PermanentError(code, "never");

const cases: readonly Case[] = [
  { what: "BATCH_MALFORMED", error: permanent("BATCH_MALFORMED"), grpcCode: 3, httpStatus: 400 },
  { what: "BATCH_TOO_LARGE", error: permanent("BATCH_TOO_LARGE"), grpcCode: 8, httpStatus: 413 },
  { what: "BACKEND_REJECTED", error: permanent("BACKEND_REJECTED"), grpcCode: 13, httpStatus: 500 },
  {
    what: "QUEUE_FULL without a time",
    error: retryable("QUEUE_FULL"),
    ...{ grpcCode: 14, httpStatus: 503, retrySeconds: 1, retryAfter: "1" },
  },
  {
    what: "MEMORY_LIMITED for 2.5 s",
    error: retryable("MEMORY_LIMITED", 2_500),
    ...{ grpcCode: 14, httpStatus: 503, retrySeconds: 2.5, retryAfter: "3" },
  },
  {
    what: "SHUTTING_DOWN",
    error: retryable("SHUTTING_DOWN"),
    ...{ grpcCode: 14, httpStatus: 503, retrySeconds: 1, retryAfter: "1" },
  },
  {
    what: "BACKEND_UNAVAILABLE",
    error: retryable("BACKEND_UNAVAILABLE"),
    ...{ grpcCode: 14, httpStatus: 503 },
  },
  {
    what: "BACKEND_UNAVAILABLE for 0 ms",
    error: retryable("BACKEND_UNAVAILABLE", 0),
    ...{ grpcCode: 14, httpStatus: 503, retrySeconds: 0, retryAfter: "1" },
  },
  {
    what: "DEADLINE_EXCEEDED",
    error: retryable("DEADLINE_EXCEEDED"),
    ...{ grpcCode: 14, httpStatus: 503 },
  },
  {
    what: "an HTTP backend's 429",
    error: () =>
      new RetryableError("BACKEND_UNAVAILABLE", "answered 429", {
        backendStatus: { grpcCode: 8, httpStatus: 429, message: "slow down" },
        retryAfterMs: 7_000,
      }),
    ...{ grpcCode: 14, httpStatus: 429, retrySeconds: 7, retryAfter: "7", message: "slow down" },
  },
  {
    what: "an HTTP backend's 429 without a time",
    error: () =>
      new RetryableError("BACKEND_UNAVAILABLE", "answered 429", {
        backendStatus: { grpcCode: 8, httpStatus: 429, message: "" },
      }),
    ...{ grpcCode: 14, httpStatus: 429, retrySeconds: 1, retryAfter: "1", message: "answered 429" },
  },
  {
    what: "a gRPC backend's RESOURCE_EXHAUSTED with RetryInfo",
    error: () =>
      new RetryableError("BACKEND_UNAVAILABLE", "full", {
        backendStatus: { grpcCode: 8, message: "full" },
        retryAfterMs: 1_500,
      }),
    ...{ grpcCode: 8, httpStatus: 429, retrySeconds: 1.5, retryAfter: "2" },
  },
];

suite("what a pipeline throws is what a sender is told", () => {
  for (const expected of cases) {
    test(expected.what, async (t) => {
      const receiver = await startReceiver(t, {
        output: { consume: () => Promise.reject(expected.error()) },
      });
      const { bytes } = createTestBatch({ itemCount: 3 });
      const client = new PlainGrpcClient(t, receiver.grpcAddress);
      const overGrpc = await client.call(exportPaths.traces, bytes);
      assert.equal(overGrpc.code, expected.grpcCode);
      assert.equal(overGrpc.retrySeconds, expected.retrySeconds);
      const overHttp = await send(`${receiver.httpUrl}/v1/traces`, bytes);
      assert.equal(overHttp.status, expected.httpStatus);
      assert.equal(overHttp.headers["retry-after"], expected.retryAfter);
      assert.equal(readStatus(overHttp).code, expected.grpcCode);
      assert.equal(readStatus(overHttp).retrySeconds, expected.retrySeconds);
      if (expected.message !== undefined) {
        assert.equal(overGrpc.message, expected.message);
        assert.equal(readStatus(overHttp).message, expected.message);
      }
      for (const transport of ["grpc", "http"]) {
        assert.equal(receiver.count("otelcol_receiver_refused_spans", { transport }), 3);
        assert.equal(receiver.count("otelcol_receiver_failed_spans", { transport }), 0);
        const labels = { transport, outcome: "refused" };
        assert.equal(receiver.count("otelcol_receiver_requests", labels), 1);
      }
      assert.equal(receiver.settings.logger.messages("error").length, 0);
    });
  }

  test("a bug is INTERNAL and 500 without details, logged once with its stack", async (t) => {
    const bug = new TypeError("secret detail");
    const receiver = await startReceiver(t, { output: { consume: () => Promise.reject(bug) } });
    const { bytes } = createTestBatch({ itemCount: 3 });
    const client = new PlainGrpcClient(t, receiver.grpcAddress);
    const overGrpc = await client.call(exportPaths.traces, bytes);
    assert.equal(overGrpc.code, 13);
    assert.equal(overGrpc.message, "internal error, see the gateway's log");
    const errors = receiver.settings.logger.records.filter(({ level }) => level === "error");
    assert.equal(errors.length, 1);
    assert.equal(errors[0]?.fields["error"], bug);
    const overHttp = await send(`${receiver.httpUrl}/v1/traces`, bytes);
    assert.equal(overHttp.status, 500);
    assert.equal(overHttp.headers["retry-after"], undefined);
    assert.deepEqual(readStatus(overHttp), {
      code: 13,
      message: "internal error, see the gateway's log",
      retrySeconds: undefined,
    });
    for (const transport of ["grpc", "http"]) {
      assert.equal(receiver.count("otelcol_receiver_failed_spans", { transport }), 3);
      assert.equal(receiver.count("otelcol_receiver_refused_spans", { transport }), 0);
      const labels = { transport, outcome: "failure" };
      assert.equal(receiver.count("otelcol_receiver_requests", labels), 1);
    }
  });

  test("the Status of a JSON request is JSON, with its RetryInfo", async (t) => {
    const receiver = await startReceiver(t, {
      output: { consume: () => Promise.reject(new RetryableError("QUEUE_FULL", "full")) },
    });
    const body = '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}';
    const headers = { "content-type": "application/json" };
    const answer = await send(`${receiver.httpUrl}/v1/logs`, body, { headers });
    assert.equal(answer.status, 503);
    assert.equal(answer.headers["content-type"], "application/json");
    assert.deepEqual(JSON.parse(answer.body.toString()), {
      code: 14,
      message: "full",
      details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "1s" }],
    });
  });
});
