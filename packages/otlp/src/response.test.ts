import assert from "node:assert/strict";
import { test } from "node:test";
import { otlpDefinitions } from "@inode-gateway/testkit";
import {
  decodeResponse,
  decodeResponseJson,
  encodeResponse,
  encodeResponseJson,
  MAX_RESPONSE_BYTES,
} from "./response.js";
import { type Signal, signals } from "./signal.js";
import { WireWriter } from "./wire/wire-writer.js";

const responses: Readonly<Record<Signal, readonly [type: string, count: string, key: string]>> = {
  traces: ["trace.v1.ExportTraceServiceResponse", "rejected_spans", "rejectedSpans"],
  metrics: [
    "metrics.v1.ExportMetricsServiceResponse",
    "rejected_data_points",
    "rejectedDataPoints",
  ],
  logs: ["logs.v1.ExportLogsServiceResponse", "rejected_log_records", "rejectedLogRecords"],
  profiles: [
    "profiles.v1development.ExportProfilesServiceResponse",
    "rejected_profiles",
    "rejectedProfiles",
  ],
};

for (const signal of signals) {
  const [typeName, count, key] = responses[signal];
  const type = otlpDefinitions().lookupType(`opentelemetry.proto.collector.${typeName}`);

  test(`a partial success of ${signal} is written as the definition files say, and read back`, () => {
    const partial = { rejectedItems: 7, errorMessage: 'too "old"\n' };
    const bytes = encodeResponse(signal, partial);
    assert.deepEqual(type.toObject(type.decode(bytes), { longs: Number }), {
      partial_success: { [count]: 7, error_message: 'too "old"\n' },
    });
    assert.deepEqual(decodeResponse(signal, bytes), partial);
    const json = encodeResponseJson(signal, partial);
    assert.deepEqual(JSON.parse(Buffer.from(json).toString()), {
      partialSuccess: { [key]: "7", errorMessage: 'too "old"\n' },
    });
    assert.deepEqual(decodeResponseJson(signal, json), partial);
  });
}

test("nothing to say is no bytes, or an empty object", () => {
  for (const partial of [undefined, { rejectedItems: 0, errorMessage: "" }]) {
    assert.equal(encodeResponse("logs", partial).length, 0);
    assert.equal(Buffer.from(encodeResponseJson("logs", partial)).toString(), "{}");
  }
});

test("a warning without a count and a count without a text are both written", () => {
  for (const partial of [
    { rejectedItems: 0, errorMessage: "slow down" },
    { rejectedItems: Number.MAX_SAFE_INTEGER, errorMessage: "" },
  ]) {
    assert.deepEqual(decodeResponse("traces", encodeResponse("traces", partial)), partial);
    assert.deepEqual(decodeResponseJson("traces", encodeResponseJson("traces", partial)), partial);
  }
});

test("a count that is no count is a fault of the caller", () => {
  for (const rejectedItems of [-1, 1.5, Number.NaN, 2 ** 53]) {
    assert.throws(() => encodeResponse("traces", { rejectedItems, errorMessage: "" }), RangeError);
  }
});

test("unset, empty and zero all mean that everything was accepted", () => {
  for (const hexadecimal of ["", "0a00", "0a020800", "0a021200", "1a00", "0a0410001200"]) {
    assert.equal(decodeResponse("traces", Buffer.from(hexadecimal, "hex")), undefined, hexadecimal);
  }
  const texts = [
    "{}",
    "null",
    '{"partialSuccess":null}',
    '{"partialSuccess":{}}',
    '{"partial_success":{"rejectedSpans":"0","errorMessage":""}}',
    '{"unknown":1,"partialSuccess":{"rejectedLogRecords":"5"}}',
  ];
  for (const text of texts) {
    assert.equal(decodeResponseJson("traces", Buffer.from(text)), undefined, text);
  }
});

test("numbers and names are read leniently, parts merge, the last scalar counts", () => {
  const rejected = (text: string) => decodeResponseJson("traces", Buffer.from(text));
  const expected = { rejectedItems: 5, errorMessage: "" };
  assert.deepEqual(rejected('{"partialSuccess":{"rejectedSpans":5}}'), expected);
  assert.deepEqual(rejected('{"partial_success":{"rejected_spans":"5"}}'), expected);
  const twoParts = Buffer.from("0a0208070a0412026f6b0a020805", "hex");
  assert.deepEqual(decodeResponse("traces", twoParts), { rejectedItems: 5, errorMessage: "ok" });
});

test("a count outside of its range is cut to it", () => {
  const count = (value: bigint) => {
    const writer = new WireWriter();
    const mark = writer.startMessage(1);
    writer.varintField(1, value);
    writer.endMessage(mark);
    return decodeResponse("traces", writer.finish())?.rejectedItems;
  };
  assert.equal(count(-5n), undefined);
  assert.equal(count(2n ** 53n - 1n), Number.MAX_SAFE_INTEGER);
  assert.equal(count(2n ** 53n), Number.MAX_SAFE_INTEGER);
  assert.equal(count(2n ** 63n - 1n), Number.MAX_SAFE_INTEGER);
});

test("what is no response is refused with its reason", () => {
  for (const hexadecimal of ["0a", "0a05", "0b", "0a0208", "0a02ffff", "0a041205"]) {
    assert.throws(() => decodeResponse("metrics", Buffer.from(hexadecimal, "hex")), {
      name: "MalformedResponseError",
      message: /^the response to a metrics export is not protobuf: /,
    });
  }
  const texts = [
    "",
    "<html>",
    "[]",
    '{"partialSuccess":1}',
    '{"partialSuccess":{"errorMessage":1}}',
  ];
  for (const text of texts) {
    assert.throws(() => decodeResponseJson("metrics", Buffer.from(text)), {
      name: "MalformedResponseError",
      message: /^the response to a metrics export is not JSON: /,
    });
  }
  assert.throws(
    () => decodeResponseJson("logs", Buffer.from('{"partialSuccess":{"rejectedLogRecords":"x"}}')),
    {
      message:
        'the response to a logs export is not JSON: `partialSuccess.rejectedLogRecords` at byte 40 is "x", ' +
        "expected an integer from -9223372036854775808 to 9223372036854775807",
    },
  );
});

// Scenario: texts of characters that take one, two and six bytes of JSON, and four of UTF-8.
test("a text is shortened only when the response would be too large, in both encodings", () => {
  const room = MAX_RESPONSE_BYTES - 128;
  for (const [character, cost] of [
    ["a", 1],
    ['"', 2],
    ["\u0001", 6],
    ["😀", 4],
  ] as const) {
    const fitting = character.repeat(Math.floor(room / cost));
    const partial = { rejectedItems: Number.MAX_SAFE_INTEGER, errorMessage: fitting };
    const bytes = encodeResponse("profiles", partial);
    const json = encodeResponseJson("profiles", partial);
    assert.ok(bytes.length <= MAX_RESPONSE_BYTES && json.length <= MAX_RESPONSE_BYTES);
    assert.deepEqual(decodeResponse("profiles", bytes), partial);
    assert.deepEqual(decodeResponseJson("profiles", json), partial);

    const tooLong = { ...partial, errorMessage: fitting + character };
    const shortened = decodeResponse("profiles", encodeResponse("profiles", tooLong));
    assert.match(shortened?.errorMessage.slice(-20) ?? "", /\.\.\. \(shortened\)$/);
    assert.ok(!shortened?.errorMessage.includes("\ufffd"), "cut between characters");
    const shortenedJson = encodeResponseJson("profiles", tooLong);
    assert.ok(shortenedJson.length <= MAX_RESPONSE_BYTES);
    assert.deepEqual(decodeResponseJson("profiles", shortenedJson), shortened);
  }
});
