import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeRequest } from "@inode-gateway/testkit";
import { checkRequest } from "../check/check-request.js";
import { JsonMappingError } from "./json-mapping-error.js";
import { jsonToProtobuf } from "./json-to-protobuf.js";

interface Rule {
  readonly rule: string;
  /** Members of an attribute value, and what comes of them. */
  readonly accepted: readonly (readonly [members: string, result: object])[];
  readonly refused: readonly string[];
}

const rules: readonly Rule[] = [
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

for (const { rule, accepted, refused } of rules) {
  test(rule, () => {
    for (const [members, result] of accepted) assert.deepEqual(value(members), result, members);
    for (const members of refused) assert.throws(() => value(members), JsonMappingError, members);
  });
}

/** One attribute value with these members, as protobufjs sees it. */
function value(members: string): unknown {
  const json = `{"resourceSpans":[{"resource":{"attributes":[{"value":{${members}}}]}}]}`;
  const bytes = jsonToProtobuf("traces", Buffer.from(json));
  checkRequest("traces", bytes);
  return Object(decodeRequest("traces", bytes))["resource_spans"][0].resource.attributes[0].value;
}

function bytesOf(hexadecimal: string): Uint8Array {
  return new Uint8Array(Buffer.from(hexadecimal, "hex"));
}
