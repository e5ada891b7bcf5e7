import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeliveryError, PermanentError, RetryableError } from "./errors.js";

test("delivery errors carry their code, the backend's status, the wait and the cause", () => {
  const cause = new Error("ECONNREFUSED");
  const backendStatus = { grpcCode: 14, message: "away", httpStatus: 503 };
  const retryable = new RetryableError("BACKEND_UNAVAILABLE", "backend is away", {
    cause,
    backendStatus,
    retryAfterMs: 1_000,
  });
  assert.deepEqual(
    [
      retryable.name,
      retryable.code,
      retryable.retryAfterMs,
      retryable.backendStatus,
      retryable.cause,
    ],
    ["RetryableError", "BACKEND_UNAVAILABLE", 1_000, backendStatus, cause],
  );
  const permanent = new PermanentError("BATCH_TOO_LARGE", "too large", { backendStatus });
  assert.deepEqual(
    [permanent.name, permanent.code, permanent.backendStatus],
    ["PermanentError", "BATCH_TOO_LARGE", backendStatus],
  );
  assert.equal(new RetryableError("QUEUE_FULL", "full").retryAfterMs, undefined);
});

test("only these two are delivery errors", () => {
  assert.ok(isDeliveryError(new PermanentError("BATCH_MALFORMED", "x")));
  assert.ok(isDeliveryError(new RetryableError("QUEUE_FULL", "x")));
  for (const other of [
    new Error("x"),
    new TypeError("x"),
    undefined,
    "x",
    { code: "QUEUE_FULL" },
  ]) {
    assert.equal(isDeliveryError(other), false);
  }
});
