import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { checkRequest, jsonToProtobuf } from "@inode-gateway/otlp";
import { decodedItemCount, decodeRequest } from "@inode-gateway/testkit";
import { logsRequest, metricsRequest } from "./otlp-json.js";

/** Through our transcoder and back by protobufjs. */
function sent(signal: "logs" | "metrics", request: object): Record<string, unknown> {
  const bytes = jsonToProtobuf(signal, Buffer.from(JSON.stringify(request)));
  checkRequest(signal, bytes);
  return decodeRequest(signal, bytes);
}

interface SentLogs {
  readonly resource_logs: readonly {
    readonly scope_logs: readonly {
      readonly log_records: readonly {
        readonly body: { readonly string_value: string };
        readonly attributes: readonly { readonly key: string; readonly value: object }[];
      }[];
    }[];
  }[];
}

function logged(message: string, fields: Record<string, unknown>) {
  const record = { level: "error", message, fields, unixMs: 1_767_225_600_123.5 } as const;
  const request = sent("logs", logsRequest({ "service.name": "g" }, [record]));
  const [first] =
    (request as unknown as SentLogs).resource_logs[0]?.scope_logs[0]?.log_records ?? [];
  assert.ok(first !== undefined);
  const entries = first.attributes.map(({ key, value }) => [key, Object.entries(value)[0]]);
  return { body: first.body.string_value, attributes: Object.fromEntries(entries) as object };
}

suite("own telemetry as OTLP", () => {
  test("a field keeps its type; an error becomes what the semantic conventions say", () => {
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    const { attributes } = logged("m", {
      ...{ text: "t", whole: 7, half: 0.5, none: Number.NaN, yes: true, list: [1, "a"] },
      ...{ nothing: null, absent: undefined, circular },
    });
    assert.deepEqual(JSON.parse(JSON.stringify(attributes)), {
      text: ["string_value", "t"],
      whole: ["int_value", "7"],
      half: ["double_value", 0.5],
      none: ["double_value", null],
      yes: ["bool_value", true],
      list: ["string_value", '[1,"a"]'],
      nothing: ["string_value", "null"],
      circular: ["string_value", "[object Object]"],
    });
    const failed = logged("m", { error: new TypeError("boom") }).attributes;
    assert.deepEqual(Object.keys(failed), [
      "exception.type",
      "exception.message",
      "exception.stacktrace",
    ]);
  });

  test("text and fields are bounded, and half a character is no reason to fail", () => {
    const long = logged("x".repeat(10_000), { broken: "a\ud800", long: "y".repeat(8_193) });
    assert.equal(long.body.length, 8_192);
    assert.deepEqual(
      Object.values(long.attributes).map(([, text]) => String(text).length),
      [2, 8_192],
    );
    const fields = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, index]));
    assert.equal(Object.keys(logged("m", fields(64)).attributes).length, 64);
    assert.equal(Object.keys(logged("m", fields(65)).attributes).length, 64);
  });

  test("every kind of metric is a request that the framing check takes, with all its points", () => {
    const request = metricsRequest(
      { "service.name": "g" },
      [
        { name: "c", help: "", kind: "counter", points: [{ labels: { a: "1" }, value: 2 }] },
        { name: "g", help: "", kind: "gauge", points: [{ labels: {}, value: -0.5 }] },
        {
          name: "h",
          help: "",
          kind: "histogram",
          points: [
            {
              labels: {},
              value: 12,
              count: 2,
              buckets: [
                { bound: 10, count: 1 },
                { bound: Number.POSITIVE_INFINITY, count: 1 },
              ],
            },
          ],
        },
      ],
      { startUnixMs: 1, unixMs: 2 },
    );
    const bytes = jsonToProtobuf("metrics", Buffer.from(JSON.stringify(request)));
    checkRequest("metrics", bytes);
    assert.equal(decodedItemCount("metrics", bytes), 3);
  });
});
