import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { PermanentError, RetryableError } from "@inode-gateway/contract";
import { GrpcStatusError } from "@inode-gateway/grpc";
import { failureOfStatus } from "./grpc-failure.js";

const failure = (code: number, message = "said", retryDelayMs?: number) =>
  failureOfStatus("backend:1", new GrpcStatusError({ code, message, retryDelayMs }), true);

suite("failureOfStatus", () => {
  for (const code of [1, 4, 10, 11, 14, 15]) {
    test(`${code} may be sent again`, () => {
      const error = failure(code, "said", 1_500);
      assert.ok(error instanceof RetryableError);
      assert.equal(error.code, code === 4 ? "DEADLINE_EXCEEDED" : "BACKEND_UNAVAILABLE");
      assert.equal(error.retryAfterMs, 1_500);
      assert.deepEqual(error.backendStatus, { grpcCode: code, message: "said" });
    });
  }

  for (const code of [2, 3, 5, 6, 7, 8, 9, 12, 13, 16, 17]) {
    test(`${code} may not`, () => {
      const error = failure(code);
      assert.ok(error instanceof PermanentError);
      assert.equal(error.code, "BACKEND_REJECTED");
      assert.equal(error.backendStatus?.grpcCode, code);
    });
  }

  test("RESOURCE_EXHAUSTED may be sent again with RetryInfo, even of 0 s", () => {
    assert.ok(failure(8, "said", 0) instanceof RetryableError);
  });

  for (const message of [
    "grpc: received message larger than max (5000000 vs. 4194304)",
    "grpc: received message after decompression larger than max 4194304",
    "Received message larger than max (5000000 vs 4194304)",
    "Received message that decompresses to a size larger than 4194304",
    "gRPC message exceeds maximum size 4194304: 5000000",
  ]) {
    test(`RESOURCE_EXHAUSTED "${message}" asks for smaller requests`, () => {
      assert.equal(failure(8, message).code, "BATCH_TOO_LARGE");
    });
  }

  test("a connection that was never made is no answer of the destination", () => {
    const error = failure(14, "no connection: connect ECONNREFUSED 127.0.0.1:1");
    assert.equal(error.code, "BACKEND_UNAVAILABLE");
    assert.equal(error.backendStatus, undefined);
    assert.equal(
      error.message,
      "cannot connect to backend:1: connect ECONNREFUSED 127.0.0.1:1; nothing listens there: start the destination or correct `endpoint`",
    );
  });

  test("names the destination, the code and what was said", () => {
    assert.equal(failure(16, "who?").message, "backend:1 answered UNAUTHENTICATED: who?");
    assert.equal(failure(99, "what?").message, "backend:1 answered 99: what?");
  });
});
