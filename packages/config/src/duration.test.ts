import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DURATION_MAX_MS, duration, formatDuration, parseDuration } from "./duration.js";

test("reads what Go reads", () => {
  const table: readonly [string, number][] = [
    ["0", 0],
    ["0s", 0],
    ["200ms", 200],
    ["1m30s", 90_000],
    ["1h2m3.5s", 3_723_500],
    [".5s", 500],
    ["1.s", 1_000],
    ["+5s", 5_000],
    ["-5s", -5_000],
    ["10us", 0.01],
    ["10\u00b5s", 0.01],
    ["10\u03bcs", 0.01],
    ["1000000ns", 1],
    ["1s1s", 2_000],
  ];
  for (const [text, ms] of table) assert.equal(parseDuration(text), ms, text);
});

test("refuses what Go refuses and says why", () => {
  const table: readonly [string, RegExp][] = [
    ["", /"" is no duration, write it as 200ms/],
    ["5", /"5" has no unit, write 5s or 5ms/],
    ["5d", /unknown unit "d" .*units are ns, us, ms, s, m, h/],
    ["s", /"s" is no duration/],
    ["1s ", /no duration/],
    ["1 s", /no duration/],
    [".s", /no duration/],
    ["--1s", /no duration/],
    ["1e3s", /unknown unit "e"/],
    ["1S", /no duration/],
  ];
  for (const [text, expected] of table) {
    const result = parseDuration(text);
    assert.ok(typeof result === "object", text);
    assert.match(result.problem, expected);
  }
});

test("the longest duration is accepted, a millisecond more refused", () => {
  assert.equal(parseDuration(`${DURATION_MAX_MS}ms`), DURATION_MAX_MS);
  assert.match(
    (parseDuration(`${DURATION_MAX_MS + 1}ms`) as { problem: string }).problem,
    /longer than 292 years/,
  );
});

test("text of 64 characters is read, of 65 refused", () => {
  const zeros = (length: number) => `${"0".repeat(length - 2)}1s`;
  assert.equal(parseDuration(zeros(64)), 1_000);
  assert.equal(typeof parseDuration(zeros(65)), "object");
});

test("writes what Go writes", () => {
  const table: readonly [number, string][] = [
    [0, "0s"],
    [0.000001, "1ns"],
    [0.0015, "1.5\u00b5s"],
    [1.5, "1.5ms"],
    [200, "200ms"],
    [1_000, "1s"],
    [90_000, "1m30s"],
    [3_600_000, "1h0m0s"],
    [3_723_500, "1h2m3.5s"],
    [-5_000, "-5s"],
  ];
  for (const [ms, text] of table) assert.equal(formatDuration(ms), text);
});

test("what is written is read back", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000_000_000 }), (ms) => {
      assert.equal(parseDuration(formatDuration(ms)), ms);
    }),
    { numRuns: 300 },
  );
});

test("the schema takes text and the number 0, and keeps to its limits", () => {
  const schema = duration({ minMs: 100, maxMs: 5_000 });
  assert.equal(schema.parse("100ms"), 100);
  assert.equal(schema.parse("5s"), 5_000);
  assert.match(messageOf(schema.safeParse("99ms")), /must be at least 100ms, is 99ms/);
  assert.match(messageOf(schema.safeParse("5001ms")), /must be at most 5s, is 5.001s/);
  assert.equal(duration().parse(0), 0);
  assert.match(messageOf(duration().safeParse("-1s")), /must be at least 0s, is -1s/);
  assert.match(messageOf(duration().safeParse(5)), /got the number 5 without a unit/);
});

function messageOf(result: { error?: { issues: readonly { message: string }[] } | undefined }) {
  return result.error?.issues.map(({ message }) => message).join("\n") ?? "";
}
