import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRetryAfter } from "./retry-after.js";

const nowMs = Date.UTC(2026, 0, 1);

for (const [value, expectedMs] of [
  ["0", 0],
  ["7", 7_000],
  [" 7 ", 7_000],
  ["86400", 86_400_000],
  ["86401", undefined],
  ["Thu, 01 Jan 2026 00:00:05 GMT", 5_000],
  ["Thursday, 01-Jan-26 00:00:05 GMT", 5_000],
  ["Thu Jan  1 00:00:05 2026 GMT", 5_000],
  ["Wed, 31 Dec 2025 23:59:59 GMT", 0],
  ["Sat, 03 Jan 2026 00:00:00 GMT", undefined],
  ["", undefined],
  ["-1", undefined],
  ["1.5", undefined],
  ["soon", undefined],
  ["2026-01-01T00:00:05Z", undefined],
  [undefined, undefined],
] as const) {
  test(`Retry-After "${value}" is ${expectedMs} ms`, () => {
    assert.equal(parseRetryAfter(value, nowMs), expectedMs);
  });
}
