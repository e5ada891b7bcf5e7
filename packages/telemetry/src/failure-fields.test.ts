import assert from "node:assert/strict";
import { test } from "node:test";
import { failureFields } from "./failure-fields.js";

test("what the outside world refused is one sentence", () => {
  const cause = Object.assign(new Error("listen EADDRINUSE"), { code: "EADDRINUSE" });
  const error = new Error("cannot start receiver: the port is taken", { cause });
  assert.deepEqual(failureFields(error), { reason: "cannot start receiver: the port is taken" });
});

test("a bug is told whole, wherever it stands in the chain of causes", () => {
  const bug = new Error("cannot start receiver", { cause: new TypeError("x is undefined") });
  for (const error of [bug, new RangeError("out of range"), "no error at all", undefined]) {
    assert.deepEqual(failureFields(error), { error });
  }
});

test("a circle of causes ends", () => {
  const error = new Error("round and round");
  error.cause = error;
  assert.deepEqual(failureFields(error), { error });
});
