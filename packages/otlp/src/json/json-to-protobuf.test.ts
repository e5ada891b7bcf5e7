import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeRequest } from "@inode-gateway/testkit";
import { checkRequest } from "../check/check-request.js";
import { MAX_NESTED_MESSAGES } from "../check/limits.js";
import type { Signal } from "../signal.js";
import { JsonMappingError } from "./json-mapping-error.js";
import { jsonToProtobuf } from "./json-to-protobuf.js";

const TRACE_ID = "5b8efff798038103d269b633813fc60c";

/** What protobufjs makes of the result, which passes the framing check first. */
function convert(signal: Signal, json: string | Uint8Array): Record<string, unknown> {
  const bytes = jsonToProtobuf(signal, typeof json === "string" ? Buffer.from(json) : json);
  checkRequest(signal, bytes);
  return decodeRequest(signal, bytes);
}

function faultOf(signal: Signal, json: string | Uint8Array): JsonMappingError {
  try {
    jsonToProtobuf(signal, typeof json === "string" ? Buffer.from(json) : json);
  } catch (error) {
    assert.ok(error instanceof JsonMappingError, String(error));
    return error;
  }
  return assert.fail(`was accepted: ${json.toString().slice(0, 200)}`);
}

const spanText = (members: string) =>
  `{"resourceSpans":[{"scopeSpans":[{"spans":[{${members}}]}]}]}`;

/** One span with these members, as protobufjs sees it. */
function span(members: string): unknown {
  const request = convert("traces", spanText(members));
  return Object(request)["resource_spans"][0].scope_spans[0].spans[0];
}

/** One data point of a metric with these members. */
function point(type: string, members: string): Record<string, unknown> {
  const json = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"${type}":{"dataPoints":[{${members}}]}}]}]}]}`;
  const request = Object(convert("metrics", json));
  const name = type.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return request.resource_metrics[0].scope_metrics[0].metrics[0][name].data_points[0];
}

test("numbers of every other kind keep their range and their sign", () => {
  const signedInteger = point("gauge", '"asInt":"-9223372036854775808"');
  assert.deepEqual(signedInteger, { as_int: "-9223372036854775808" });
  const scale = (text: string) => point("exponentialHistogram", `"scale":${text}`);
  assert.deepEqual(scale("-2147483648"), { scale: -2147483648 });
  assert.deepEqual(scale('"2147483647"'), { scale: 2147483647 });
  assert.throws(() => scale("2147483648"), JsonMappingError);
  assert.throws(() => scale('"-2147483649"'), JsonMappingError);
});

test("lists of numbers are packed, each element a number or a text", () => {
  const histogram = point(
    "histogram",
    '"bucketCounts":["1",2,18446744073709551615],"explicitBounds":[1,"2.5","Infinity"]',
  );
  assert.deepEqual(histogram["bucket_counts"], ["1", "2", "18446744073709551615"]);
  assert.deepEqual(histogram["explicit_bounds"], [1, 2.5, Number.POSITIVE_INFINITY]);
  assert.deepEqual(point("histogram", '"bucketCounts":[],"explicitBounds":null'), {});
  assert.deepEqual(point("histogram", '"bucketCounts":[0,0]')["bucket_counts"], ["0", "0"]);
  for (const members of ['"bucketCounts":[null]', '"bucketCounts":1', '"bucketCounts":[1,]']) {
    assert.throws(() => point("histogram", members), JsonMappingError, members);
  }
});

// Scenario: each zero takes two bytes of JSON and eight of protobuf.
test("a list of numbers may become longer than its text", () => {
  const zeros = Array.from({ length: 100_000 }, () => "0").join();
  const bounds = point("histogram", `"explicitBounds":[${zeros}]`)["explicit_bounds"];
  assert.equal((bounds as unknown[]).length, 100_000);
});

test("an optional number is kept when it is zero, another is not", () => {
  assert.deepEqual(point("histogram", '"sum":0,"min":-0.0,"count":0'), { sum: 0, min: -0 });
});

test("an empty request is legal in every spelling", () => {
  for (const json of ["{}", " {} \n", "null", '{"resourceSpans":[]}', '{"resourceSpans":null}']) {
    assert.deepEqual(convert("traces", json), {}, json);
  }
  assert.deepEqual(convert("traces", '{"resourceSpans":[null]}'), { resource_spans: [{}] });
});

test("anything that is not exactly one object is refused", () => {
  const whole = [
    "",
    " ",
    "[]",
    "1",
    '"{}"',
    "true",
    "{",
    "{} x",
    "{}{}",
    "{},",
    "{}\0",
    "\ufeff{}",
  ];
  for (const json of whole) faultOf("traces", json);
  const request = spanText('"name":"n","attributes":[{"key":"k","value":{"intValue":"5"}}]');
  for (let length = 0; length < request.length; length++) {
    faultOf("traces", request.slice(0, length));
  }
});

// Scenario: two `resource` objects, as two parts of one message; a list of numbers in two parts.
test("a message and a packed list that come twice are written once", () => {
  const same = (signal: Signal, twice: string, once: string) => {
    const expected = jsonToProtobuf(signal, Buffer.from(once));
    assert.deepEqual(jsonToProtobuf(signal, Buffer.from(twice)), expected);
  };
  const logs = (members: string) => `{"resourceLogs":[{${members}}]}`;
  same(
    "logs",
    logs(
      '"resource":{"attributes":[{"key":"a"}]},"schemaUrl":"x","resource":{"attributes":[{"key":"b"}]}',
    ),
    logs('"resource":{"attributes":[{"key":"a"},{"key":"b"}]},"schemaUrl":"x"'),
  );
  const histogram = (members: string) =>
    `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":{"dataPoints":[{${members}}]}}]}]}]}`;
  same(
    "metrics",
    histogram('"bucketCounts":[1,2],"count":1,"bucketCounts":[3]'),
    histogram('"bucketCounts":[1,2,3],"count":1'),
  );
});

test("bytes that are not UTF-8 are refused wherever they stand, with their offset", () => {
  const faulty = (before: string, bytes: readonly number[], after: string) =>
    Buffer.concat([Buffer.from(before), Uint8Array.from(bytes), Buffer.from(after)]);
  for (const bytes of [[0xff], [0xc3], [0xe2, 0x82], [0xed, 0xa0, 0xbd], [0xc0, 0x80], [0x80]]) {
    for (const padding of [0, 4090, 4096, 20_000]) {
      const before = `{"é${"€".repeat(padding)}":"`;
      const fault = faultOf("traces", faulty(before, bytes, '"}'));
      assert.equal(fault.byteOffset, Buffer.byteLength(before));
      assert.match(fault.message, /is not valid UTF-8: byte 0x/);
    }
  }
  faultOf("traces", Buffer.from('{"a":1} \x80', "latin1"));
});

test("messages may be nested as deep as the framing check allows, not deeper", () => {
  // Request, ResourceSpans, Resource, KeyValue and AnyValue; each list adds ArrayValue and AnyValue.
  const nest = (lists: number, inner: string) =>
    `{"resourceSpans":[{"resource":{"attributes":[{"value":${'{"arrayValue":{"values":['.repeat(lists)}${inner}${"]}}".repeat(lists)}}]}}]}`;
  const lists = (MAX_NESTED_MESSAGES - 4) / 2;
  assert.ok(Number.isInteger(lists));
  convert("traces", nest(lists, '{"intValue":1}'));
  const fault = faultOf("traces", nest(lists, '{"arrayValue":{}}'));
  assert.match(fault.message, /is nested deeper than 100 messages$/);
  assert.match(fault.path, /^resourceSpans\[0\]\.resource\.attributes\[0\]\.value\.arrayValue/);
});

test("an error names offset, path, value and what is expected", () => {
  const spans = [`{"traceId":"${TRACE_ID}"}`, "{}", '{"name":"x"}', '{"traceId":"abc"}'];
  const json = `{"resourceSpans":[{"scopeSpans":[{"spans":[${spans.join()}]}]}]}`;
  const fault = faultOf("traces", json);
  assert.equal(fault.name, "JsonMappingError");
  assert.equal(fault.byteOffset, json.indexOf('"abc"'));
  assert.equal(fault.path, "resourceSpans[0].scopeSpans[0].spans[3].traceId");
  assert.equal(
    fault.message,
    `\`resourceSpans[0].scopeSpans[0].spans[3].traceId\` at byte ${fault.byteOffset} is "abc", ` +
      'expected 32 hexadecimal digits or ""',
  );
  const messages = [
    ["", "not JSON at byte 0: found the end of the input, expected a JSON value"],
    ["[]", "the document at byte 0 is a list, expected an object"],
    ["{} {}", "not JSON at byte 3: found `{`, expected nothing behind the request"],
    [
      '{"resourceSpans":[{"schemaUrl":"\u0001"}]}',
      "not JSON at byte 32 in `resourceSpans[0].schemaUrl`: found byte 0x01, expected control characters to be escaped",
    ],
    [
      `{"resourceSpans":[{"resource":{"droppedAttributesCount":"${"9".repeat(100)}"}}]}`,
      `\`resourceSpans[0].resource.droppedAttributesCount\` at byte 56 is "${"9".repeat(47)}... (102 bytes), expected an integer from 0 to 4294967295`,
    ],
    [
      '{"resourceSpans":[{"resource":{"attributes":[{"value":{"intValue":1,"boolValue":true}}]}}]}',
      "`resourceSpans[0].resource.attributes[0].value` at byte 68 sets `boolValue`, but a member of `value` is set already",
    ],
    [
      '{"a key":[{"resourceSpans":truth}]}',
      'not JSON at byte 27 in `["a key"][0].resourceSpans`: found `t`, expected a JSON value',
    ],
  ] as const;
  for (const [text, message] of messages) assert.equal(faultOf("traces", text).message, message);
});

test("after a refusal the next request is converted as if nothing had happened", () => {
  const before = span('"name":"n"');
  faultOf(
    "traces",
    spanText(`"name":"${"x".repeat(1000)}","attributes":[{"value":{"intValue":{}}}]`),
  );
  assert.deepEqual(span('"name":"n"'), before);
});

test("a view into a larger buffer is read from its own start to its own end", () => {
  const buffer = Buffer.from('xx{"resourceSpans":[{"schemaUrl":"u"}]}yy');
  assert.deepEqual(convert("traces", buffer.subarray(2, -2)), {
    resource_spans: [{ schema_url: "u" }],
  });
});
