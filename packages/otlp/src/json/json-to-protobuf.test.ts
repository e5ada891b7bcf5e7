import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeRequest } from "@inode-gateway/testkit";
import { checkRequest } from "../check/check-request.js";
import { MAX_NESTED_MESSAGES } from "../check/limits.js";
import type { Signal } from "../signal.js";
import { JsonMappingError } from "./json-mapping-error.js";
import { jsonToProtobuf } from "./json-to-protobuf.js";
import { MAX_IGNORED_DEPTH } from "./limits.js";

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

/** One attribute value with these members, as protobufjs sees it. */
function value(members: string): unknown {
  return Object(span(`"attributes":[{"value":{${members}}}]`)).attributes[0].value;
}

/** One data point of a metric with these members. */
function point(type: string, members: string): Record<string, unknown> {
  const json = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"${type}":{"dataPoints":[{${members}}]}}]}]}]}`;
  const request = Object(convert("metrics", json));
  const name = type.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return request.resource_metrics[0].scope_metrics[0].metrics[0][name].data_points[0];
}

interface Rule {
  readonly rule: string;
  /** Members of a span or of a value, and what comes of them. */
  readonly accepted: readonly (readonly [members: string, result: object])[];
  readonly refused: readonly string[];
}

const spanRules: readonly Rule[] = [
  {
    rule: "identifiers are hexadecimal of their length, in either case; an empty one is absent",
    accepted: [
      [`"traceId":"${TRACE_ID}"`, { trace_id: new Uint8Array(Buffer.from(TRACE_ID, "hex")) }],
      [
        `"traceId":"${TRACE_ID.toUpperCase()}"`,
        { trace_id: new Uint8Array(Buffer.from(TRACE_ID, "hex")) },
      ],
      ['"spanId":"EEE19b7ec3c1b174"', { span_id: bytesOf("eee19b7ec3c1b174") }],
      ['"spanId":"\\u0045EE19b7ec3c1b174"', { span_id: bytesOf("eee19b7ec3c1b174") }],
      ['"spanId":"0000000000000000"', { span_id: new Uint8Array(8) }],
      ['"traceId":"","spanId":"","parentSpanId":""', {}],
      ['"traceId":null', {}],
    ],
    refused: [
      `"traceId":"${TRACE_ID.slice(1)}"`,
      `"traceId":"${TRACE_ID}0"`,
      `"traceId":"${TRACE_ID}00"`,
      `"traceId":"${TRACE_ID.slice(2)}"`,
      '"spanId":"eee19b7ec3c1b17g"',
      '"spanId":"eee19b7ec3c1b17"',
      `"spanId":"${TRACE_ID}"`,
      '"spanId":"7uGbfsPBsXQ="',
      '"spanId":12',
      '"spanId":["eee19b7ec3c1b174"]',
    ],
  },
  {
    rule: "unsigned 64-bit integers are a number or a decimal text, also with point or exponent",
    accepted: [
      ['"startTimeUnixNano":"1544712660000000000"', time("1544712660000000000")],
      ['"startTimeUnixNano":1544712660000000123', time("1544712660000000123")],
      ['"startTimeUnixNano":"18446744073709551615"', time("18446744073709551615")],
      ['"startTimeUnixNano":18446744073709551615', time("18446744073709551615")],
      ['"startTimeUnixNano":1e3', time("1000")],
      ['"startTimeUnixNano":"1E+3"', time("1000")],
      ['"startTimeUnixNano":1.0', time("1")],
      ['"startTimeUnixNano":1.50e1', time("15")],
      ['"startTimeUnixNano":15000e-3', time("15")],
      ['"startTimeUnixNano":1.8446744073709551615e19', time("18446744073709551615")],
      ['"startTimeUnixNano":"007"', time("7")],
      [`"startTimeUnixNano":"${"0".repeat(40)}8"`, time("8")],
      ['"startTimeUnixNano":"+7"', time("7")],
      ['"startTimeUnixNano":4294967296', time("4294967296")],
      ['"startTimeUnixNano":"999999999"', time("999999999")],
      ['"startTimeUnixNano":"1000000000"', time("1000000000")],
      ['"startTimeUnixNano":"\\u0037"', time("7")],
      ['"startTimeUnixNano":"0"', {}],
      ['"startTimeUnixNano":-0', {}],
      ['"startTimeUnixNano":0e999999999999', {}],
      ['"startTimeUnixNano":null', {}],
    ],
    refused: [
      '"startTimeUnixNano":18446744073709551616',
      '"startTimeUnixNano":"18446744073709551616"',
      '"startTimeUnixNano":1.8446744073709551616e19',
      '"startTimeUnixNano":1e20',
      '"startTimeUnixNano":1e999999999999',
      '"startTimeUnixNano":1e-1',
      '"startTimeUnixNano":0.5',
      '"startTimeUnixNano":-1',
      '"startTimeUnixNano":"-1"',
      '"startTimeUnixNano":""',
      '"startTimeUnixNano":" 1"',
      '"startTimeUnixNano":"1 "',
      '"startTimeUnixNano":"1."',
      '"startTimeUnixNano":".1e1"',
      '"startTimeUnixNano":"1e"',
      '"startTimeUnixNano":"0x10"',
      `"startTimeUnixNano":"${"1".repeat(1_000_000)}"`,
      '"startTimeUnixNano":"+"',
      '"startTimeUnixNano":true',
      '"startTimeUnixNano":{}',
    ],
  },
  {
    rule: "unsigned 32-bit integers are a number or a text within their range",
    accepted: [
      ['"flags":4294967295', { flags: 4294967295 }],
      ['"flags":"4294967295"', { flags: 4294967295 }],
      ['"droppedAttributesCount":4294967295', { dropped_attributes_count: 4294967295 }],
      ['"droppedAttributesCount":2.0', { dropped_attributes_count: 2 }],
      ['"droppedAttributesCount":0', {}],
    ],
    refused: [
      '"flags":4294967296',
      '"flags":"4294967296"',
      '"flags":-1',
      '"droppedAttributesCount":4294967296',
      '"droppedAttributesCount":18446744073709551616',
      '"droppedAttributesCount":1.5',
      '"droppedAttributesCount":"many"',
    ],
  },
  {
    rule: "enums are a number, known or not, or a known name",
    accepted: [
      ['"kind":2', { kind: 2 }],
      ['"kind":"SPAN_KIND_SERVER"', { kind: 2 }],
      ['"kind":99', { kind: 99 }],
      ['"kind":-1', { kind: -1 }],
      ['"kind":2147483647', { kind: 2147483647 }],
      ['"kind":-2147483648', { kind: -2147483648 }],
      ['"kind":2.0', { kind: 2 }],
      ['"kind":"SPAN_KIND_UNSPECIFIED"', {}],
      ['"status":{"code":"STATUS_CODE_ERROR"}', { status: { code: 2 } }],
    ],
    refused: [
      '"kind":"SPAN_KIND_UNHEARD_OF"',
      '"kind":"span_kind_server"',
      '"kind":"2"',
      '"kind":""',
      '"kind":2147483648',
      '"kind":-2147483649',
      '"kind":true',
      '"kind":"STATUS_CODE_ERROR"',
    ],
  },
  {
    rule: "strings hold every escape; a lone surrogate becomes U+FFFD",
    accepted: [
      ['"name":"a\\"\\\\\\/\\b\\f\\n\\r\\tb"', { name: 'a"\\/\b\f\n\r\tb' }],
      ['"name":"\\u0041\\u00e9\\u20AC"', { name: "Aé€" }],
      ['"name":"\\ud83d\\ude00"', { name: "😀" }],
      ['"name":"é€😀"', { name: "é€😀" }],
      ['"name":"\\u0000"', { name: "\0" }],
      ['"name":"\\ud83d"', { name: "\ufffd" }],
      ['"name":"\\ude00\\ud83d"', { name: "\ufffd\ufffd" }],
      ['"name":"\\ud83d\\u0041"', { name: "\ufffdA" }],
      ['"name":"\\ud83d\\ud83d\\ude00"', { name: "\ufffd😀" }],
      ['"name":""', {}],
      ['"name":null', {}],
      [`"name":"${"x".repeat(127)}"`, { name: "x".repeat(127) }],
      [`"name":"${"x".repeat(128)}"`, { name: "x".repeat(128) }],
      [`"name":"${"x".repeat(20_000)}"`, { name: "x".repeat(20_000) }],
    ],
    refused: [
      '"name":5',
      '"name":["a"]',
      '"name":"\\x"',
      '"name":"\\u12g4"',
      '"name":"\\u123',
      '"name":"a\nb"',
      '"name":"a\u0001b"',
      '"name":"a',
      '"name":"a\\',
      "\"name\":'a'",
    ],
  },
  {
    rule: "keys are lowerCamelCase or as in the definition files, escaped or not; case counts",
    accepted: [
      ['"droppedEventsCount":3', { dropped_events_count: 3 }],
      ['"dropped_events_count":3', { dropped_events_count: 3 }],
      ['"\\u006eame":"a"', { name: "a" }],
      ['"Name":"a"', {}],
      ['"nam":"a","names":"a","nameX":"a"', {}],
      ['"droppedEvents_count":3', {}],
    ],
    refused: ["name:1", "'name':1", '"name"', '"name" "a"', '"name":'],
  },
  {
    rule: "keys that OTLP does not define are ignored, their values must be JSON",
    accepted: [
      ['"a":[1,-2.5e-3,"x\\n",true,false,null,{},[],{"b":[{}]}],"name":"n"', { name: "n" }],
      ['"":0,"name":"n"', { name: "n" }],
      [`"a":${"[".repeat(MAX_IGNORED_DEPTH)}${"]".repeat(MAX_IGNORED_DEPTH)}`, {}],
      [`"a":${'{"b":'.repeat(MAX_IGNORED_DEPTH)}1${"}".repeat(MAX_IGNORED_DEPTH)}`, {}],
    ],
    refused: [
      '"a":tru',
      '"a":nul',
      '"a":01',
      '"a":-',
      '"a":1.',
      '"a":.5',
      '"a":1e',
      '"a":+1',
      '"a":NaN',
      '"a":[1,]',
      '"a":[1 2]',
      '"a":{"b":1,}',
      '"a":{b:1}',
      '"a":"\\q"',
      `"a":${"[".repeat(MAX_IGNORED_DEPTH + 1)}${"]".repeat(MAX_IGNORED_DEPTH + 1)}`,
    ],
  },
  {
    rule: "null leaves a field unset; in a list of messages it is an empty one",
    accepted: [
      ['"kind":null,"attributes":null,"status":null,"flags":null', {}],
      ['"events":[null,{"name":"e"}]', { events: [{}, { name: "e" }] }],
      ['"name":"a","name":null', { name: "a" }],
    ],
    refused: ['"events":{}', '"events":"e"', '"status":[]', '"status":"ok"', '"name":nul'],
  },
  {
    rule: "of a key that comes twice the last scalar counts, messages merge, lists add up",
    accepted: [
      ['"name":"a","name":"b"', { name: "b" }],
      ['"name":"a","name":""', {}],
      [`"traceId":"${TRACE_ID}","trace_id":""`, {}],
      [
        '"status":{"code":1,"message":"m"},"status":{"code":2}',
        { status: { code: 2, message: "m" } },
      ],
      [
        '"attributes":[{"key":"a"}],"name":"n","attributes":[{"key":"b"}]',
        { attributes: [{ key: "a" }, { key: "b" }], name: "n" },
      ],
    ],
    refused: ['"name":"a","name":5'],
  },
  {
    rule: "white space may stand between all tokens",
    accepted: [
      [
        ' \t\r\n"name" \t\r\n: \t\r\n"n" \t\r\n, "events" : [ { } , { } ] ',
        { name: "n", events: [{}, {}] },
      ],
    ],
    refused: ['\u00a0"name":"n"', '"name":\f"n"', '"name"\u0000:"n"'],
  },
];

const valueRules: readonly Rule[] = [
  {
    rule: "every type of value is accepted, empty ones and mixed lists too",
    accepted: [
      ["", {}],
      ['"stringValue":""', { string_value: "" }],
      ['"boolValue":true', { bool_value: true }],
      ['"boolValue":false', { bool_value: false }],
      ['"intValue":0', { int_value: "0" }],
      ['"doubleValue":0', { double_value: 0 }],
      ['"bytesValue":""', { bytes_value: new Uint8Array() }],
      ['"arrayValue":{}', { array_value: {} }],
      ['"arrayValue":{"values":[]}', { array_value: {} }],
      [
        '"arrayValue":{"values":[{},{"intValue":1},{"stringValue":"a"},{"arrayValue":{"values":[{}]}}]}',
        {
          array_value: {
            values: [
              {},
              { int_value: "1" },
              { string_value: "a" },
              { array_value: { values: [{}] } },
            ],
          },
        },
      ],
      [
        '"kvlistValue":{"values":[{"key":"k","value":{"boolValue":true}},{"key":"empty"}]}',
        { kvlist_value: { values: [{ key: "k", value: { bool_value: true } }, { key: "empty" }] } },
      ],
    ],
    refused: [
      '"boolValue":"true"',
      '"boolValue":1',
      '"boolValue":truth',
      '"stringValue":1',
      '"arrayValue":[]',
      '"kvlistValue":{"values":{}}',
    ],
  },
  {
    rule: "signed 64-bit integers are a number or a decimal text within their range",
    accepted: [
      ['"intValue":"9223372036854775807"', { int_value: "9223372036854775807" }],
      ['"intValue":"-9223372036854775808"', { int_value: "-9223372036854775808" }],
      ['"intValue":-9223372036854775808', { int_value: "-9223372036854775808" }],
      ['"intValue":-1', { int_value: "-1" }],
      ['"intValue":"-4294967296"', { int_value: "-4294967296" }],
      ['"intValue":-1e2', { int_value: "-100" }],
      ['"intValue":"+5"', { int_value: "5" }],
      ['"intValue":"-0"', { int_value: "0" }],
    ],
    refused: [
      '"intValue":"9223372036854775808"',
      '"intValue":"-9223372036854775809"',
      '"intValue":9223372036854775808',
      '"intValue":9.3e18',
      '"intValue":1.1',
      '"intValue":"--1"',
      '"intValue":"one"',
    ],
  },
  {
    rule: "doubles are a number or a text, NaN and the infinities included",
    accepted: [
      ['"doubleValue":0.1', { double_value: 0.1 }],
      ['"doubleValue":"0.1"', { double_value: 0.1 }],
      ['"doubleValue":-0.0', { double_value: -0 }],
      ['"doubleValue":-1.5e-7', { double_value: -1.5e-7 }],
      ['"doubleValue":123456789012345', { double_value: 123456789012345 }],
      ['"doubleValue":9007199254740993', { double_value: 9007199254740992 }],
      ['"doubleValue":9007199254740995', { double_value: 9007199254740996 }],
      ['"doubleValue":0.30000000000000004', { double_value: 0.1 + 0.2 }],
      ['"doubleValue":1.7976931348623157e308', { double_value: Number.MAX_VALUE }],
      ['"doubleValue":5e-324', { double_value: Number.MIN_VALUE }],
      ['"doubleValue":1e-400', { double_value: 0 }],
      ['"doubleValue":"NaN"', { double_value: Number.NaN }],
      ['"doubleValue":"Infinity"', { double_value: Number.POSITIVE_INFINITY }],
      ['"doubleValue":"-Infinity"', { double_value: Number.NEGATIVE_INFINITY }],
      ['"doubleValue":"+inf"', { double_value: Number.POSITIVE_INFINITY }],
      ['"doubleValue":"nan"', { double_value: Number.NaN }],
      ['"doubleValue":"+.5"', { double_value: 0.5 }],
      ['"doubleValue":"1."', { double_value: 1 }],
    ],
    refused: [
      '"doubleValue":1e309',
      '"doubleValue":"1e309"',
      '"doubleValue":-1e309',
      '"doubleValue":NaN',
      '"doubleValue":Infinity',
      '"doubleValue":""',
      '"doubleValue":" 1"',
      '"doubleValue":"1e"',
      '"doubleValue":"."',
      '"doubleValue":"0x1p-2"',
      '"doubleValue":"1_0"',
      `"doubleValue":"${"1".repeat(1_000_000)}x"`,
      `"doubleValue":${"1".repeat(1_000_000)}`,
      '"doubleValue":true',
    ],
  },
  {
    rule: "bytes are base64 of either alphabet, with padding or without",
    accepted: [
      ['"bytesValue":"+/8="', { bytes_value: bytesOf("fbff") }],
      ['"bytesValue":"-_8="', { bytes_value: bytesOf("fbff") }],
      ['"bytesValue":"-_8"', { bytes_value: bytesOf("fbff") }],
      ['"bytesValue":"AQ=="', { bytes_value: bytesOf("01") }],
      ['"bytesValue":"AQ"', { bytes_value: bytesOf("01") }],
      ['"bytesValue":"\\u0041Q=="', { bytes_value: bytesOf("01") }],
      ['"bytesValue":"AAEC"', { bytes_value: bytesOf("000102") }],
      [
        `"bytesValue":"${Buffer.alloc(300, 7).toString("base64")}"`,
        { bytes_value: new Uint8Array(300).fill(7) },
      ],
    ],
    refused: [
      '"bytesValue":"A"',
      '"bytesValue":"AAECA"',
      '"bytesValue":"AQ="',
      '"bytesValue":"AQ==="',
      '"bytesValue":"AAEC="',
      '"bytesValue":"A=Q="',
      '"bytesValue":"===="',
      '"bytesValue":"AQ=\\n="',
      '"bytesValue":"A*=="',
      '"bytesValue":7',
    ],
  },
  {
    rule: "a oneof is set once; null does not set it",
    accepted: [['"stringValue":null,"intValue":1', { int_value: "1" }]],
    refused: [
      '"stringValue":"a","intValue":1',
      '"intValue":1,"stringValue":""',
      '"stringValue":"a","stringValue":"b"',
      '"arrayValue":{},"array_value":{}',
    ],
  },
];

describe("rules of the mapping", () => {
  for (const { rule, accepted, refused } of spanRules) {
    test(rule, () => {
      for (const [members, result] of accepted) assert.deepEqual(span(members), result, members);
      for (const members of refused) faultOf("traces", spanText(members));
    });
  }
  for (const { rule, accepted, refused } of valueRules) {
    test(rule, () => {
      for (const [members, result] of accepted) assert.deepEqual(value(members), result, members);
      for (const members of refused) {
        faultOf("traces", spanText(`"attributes":[{"value":{${members}}}]`));
      }
    });
  }
});

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

// Scenario: two `resource` objects, as two parts of one message.
test("a message that comes twice is written once", () => {
  const json =
    '{"resourceLogs":[{"resource":{"attributes":[{"key":"a"}]},"schemaUrl":"x","resource":{"attributes":[{"key":"b"}]}}]}';
  const bytes = jsonToProtobuf("logs", Buffer.from(json));
  const once =
    '{"resourceLogs":[{"resource":{"attributes":[{"key":"a"},{"key":"b"}]},"schemaUrl":"x"}]}';
  assert.deepEqual(bytes, jsonToProtobuf("logs", Buffer.from(once)));
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

function time(unixNano: string): object {
  return { start_time_unix_nano: unixNano };
}

function bytesOf(hexadecimal: string): Uint8Array {
  return new Uint8Array(Buffer.from(hexadecimal, "hex"));
}
