import assert from "node:assert/strict";
import { test } from "node:test";
import { RETRY_DELAY_MS_MAX, RETRY_INFO_TYPE, type Status } from "./status.js";
import { STATUS_BYTES_MAX } from "./status-bytes.js";
import { statusFromJson, statusToJson } from "./status-json.js";

const full: Status = { code: 14, message: "queue is full" };

function withDelay(retryDelay: unknown, type = RETRY_INFO_TYPE): string {
  return JSON.stringify({ ...full, details: [{ "@type": type, retryDelay }] });
}

test("writes the JSON form of protobuf, durations with 0, 3, 6 or 9 decimals", () => {
  assert.equal(statusToJson({ code: 3, message: 'a "b"' }), '{"code":3,"message":"a \\"b\\""}');
  const durations = [
    [0, "0s"],
    [1_000, "1s"],
    [1_500, "1.500s"],
    [0.001, "0.000001s"],
    [0.000001, "0.000000001s"],
    [60_000.25, "60.000250s"],
    [RETRY_DELAY_MS_MAX, "315576000000s"],
  ] as const;
  for (const [retryDelayMs, text] of durations) {
    const status = { ...full, retryDelayMs };
    assert.deepEqual(JSON.parse(statusToJson(status)), JSON.parse(withDelay(text)));
    assert.deepEqual(statusFromJson(statusToJson(status)), status);
  }
  for (const retryDelayMs of [RETRY_DELAY_MS_MAX + 1, -1, Number.NaN]) {
    assert.throws(() => statusToJson({ ...full, retryDelayMs }), RangeError);
  }
});

test("reads what others write", () => {
  const readable: readonly [string, Status][] = [
    ["{}", { code: 0, message: "" }],
    ['{"message":"no code"}', { code: 0, message: "no code" }],
    ['{"code":"14","message":null,"details":null}', { code: 14, message: "" }],
    ['{"code":5,"more":{"a":[1]},"details":[]}', { code: 5, message: "" }],
    [withDelay("1.5s"), { ...full, retryDelayMs: 1_500 }],
    [withDelay("0.25s", "google.rpc.RetryInfo"), { ...full, retryDelayMs: 250 }],
    [withDelay("3s").replace("retryDelay", "retry_delay"), { ...full, retryDelayMs: 3_000 }],
  ];
  for (const [json, status] of readable) assert.deepEqual(statusFromJson(json), status);
});

test("skips details it does not know or cannot read", () => {
  for (const delay of [
    "-1s",
    "1",
    "1.s",
    "s",
    "",
    "1.0000000001s",
    "9999999999999s",
    5,
    null,
    {},
  ]) {
    assert.deepEqual(statusFromJson(withDelay(delay)), full, JSON.stringify(delay));
  }
  assert.deepEqual(statusFromJson(withDelay("1s", "x.google.rpc.RetryInfo")), full);
  const details = [null, 5, "x", [], { "@type": 1 }, { "@type": RETRY_INFO_TYPE }];
  assert.deepEqual(statusFromJson(JSON.stringify({ ...full, details })), full);
});

test("refuses what is no status", () => {
  const broken = [
    "",
    "no JSON",
    "[]",
    "null",
    "5",
    '"text"',
    '{"code":1.5}',
    '{"code":"x"}',
    '{"code":2147483648}',
    '{"code":true}',
    '{"message":5}',
    '{"details":{}}',
  ];
  for (const json of broken) assert.throws(() => statusFromJson(json), RangeError, json);
});

test("takes a text of the size limit, and not one character more", () => {
  const empty = statusToJson({ code: 14, message: "" });
  const longest = statusToJson({
    code: 14,
    message: "x".repeat(STATUS_BYTES_MAX - empty.length),
  });
  assert.equal(statusFromJson(longest).code, 14);
  assert.throws(() => statusFromJson(`${longest} `), RangeError);
});
