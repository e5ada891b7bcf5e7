import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeRequest } from "@inode-gateway/testkit";
import { checkRequest } from "../check/check-request.js";
import { JsonMappingError } from "./json-mapping-error.js";
import { jsonToProtobuf } from "./json-to-protobuf.js";
import { MAX_IGNORED_DEPTH } from "./limits.js";

const TRACE_ID = "5b8efff798038103d269b633813fc60c";

interface Rule {
  readonly rule: string;
  /** Members of a span, and what comes of them. */
  readonly accepted: readonly (readonly [members: string, result: object])[];
  readonly refused: readonly string[];
}

const rules: readonly Rule[] = [
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

for (const { rule, accepted, refused } of rules) {
  test(rule, () => {
    for (const [members, result] of accepted) assert.deepEqual(span(members), result, members);
    for (const members of refused) assert.throws(() => span(members), JsonMappingError, members);
  });
}

/** One span with these members, as protobufjs sees it; the result passes the framing check. */
function span(members: string): unknown {
  const json = `{"resourceSpans":[{"scopeSpans":[{"spans":[{${members}}]}]}]}`;
  const bytes = jsonToProtobuf("traces", Buffer.from(json));
  checkRequest("traces", bytes);
  return Object(decodeRequest("traces", bytes))["resource_spans"][0].scope_spans[0].spans[0];
}

function time(unixNano: string): object {
  return { start_time_unix_nano: unixNano };
}

function bytesOf(hexadecimal: string): Uint8Array {
  return new Uint8Array(Buffer.from(hexadecimal, "hex"));
}
