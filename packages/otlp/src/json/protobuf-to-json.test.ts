import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_NESTED_MESSAGES } from "../check/limits.js";
import { defineEnum, enumerated, nestedList, scalar, scalars } from "../schema/define.js";
import { MessageSchema } from "../schema/message-schema.js";
import type { Signal } from "../signal.js";
import { WireWriter } from "../wire/wire-writer.js";
import { JsonMappingError } from "./json-mapping-error.js";
import { jsonToMessage, jsonToProtobuf } from "./json-to-protobuf.js";
import { messageToJson, protobufToJson } from "./protobuf-to-json.js";

function written(write: (writer: WireWriter) => void): Uint8Array {
  const writer = new WireWriter();
  write(writer);
  return writer.finish();
}

function message(number: number, content: Uint8Array): Uint8Array {
  return written((writer) => writer.bytesField(number, content));
}

function text(signal: Signal, bytes: Uint8Array): string {
  return Buffer.from(protobufToJson(signal, bytes)).toString();
}

/** The JSON of one span whose content is given. */
function spanText(content: Uint8Array): string {
  const json = text("traces", message(1, message(2, message(2, content))));
  const [before, after] = ['{"resourceSpans":[{"scopeSpans":[{"spans":[', "]}]}]}"];
  assert.ok(json.startsWith(before) && json.endsWith(after), json);
  return json.slice(before.length, -after.length);
}

test("the request of the specification's examples comes back as it was, compact", () => {
  const json = JSON.stringify({
    resourceSpans: [
      {
        resource: {
          attributes: [{ key: "service.name", value: { stringValue: "my.service" } }],
        },
        scopeSpans: [
          {
            scope: {
              name: "my.library",
              version: "1.0.0",
              attributes: [
                { key: "my.scope.attribute", value: { stringValue: "some scope attribute" } },
              ],
            },
            spans: [
              {
                traceId: "5b8efff798038103d269b633813fc60c",
                spanId: "eee19b7ec3c1b174",
                parentSpanId: "eee19b7ec3c1b173",
                name: "I'm a server span",
                startTimeUnixNano: "1544712660000000000",
                endTimeUnixNano: "1544712661000000000",
                kind: 2,
                attributes: [{ key: "my.span.attr", value: { stringValue: "some value" } }],
              },
            ],
          },
        ],
      },
    ],
  });
  assert.equal(text("traces", jsonToProtobuf("traces", Buffer.from(json))), json);
});

test("every kind of metric and a log record come back as they were, compact", () => {
  const points = (members: object) => ({ dataPoints: [{ timeUnixNano: "1", ...members }] });
  const metrics = [
    { name: "g", unit: "1", gauge: points({ asDouble: 10.5 }) },
    {
      name: "s",
      sum: { ...points({ asInt: "-5" }), aggregationTemporality: 1, isMonotonic: true },
    },
    {
      name: "h",
      histogram: {
        ...points({ count: "2", sum: 2, bucketCounts: ["1", "1"], explicitBounds: [1], min: 0 }),
        aggregationTemporality: 2,
      },
    },
    {
      name: "e",
      exponentialHistogram: points({
        scale: -3,
        positive: { offset: -1, bucketCounts: ["0", "18446744073709551615"] },
        zeroThreshold: 0.5,
        exemplars: [{ asInt: "0", spanId: "eee19b7ec3c1b174", filteredAttributes: [{ key: "k" }] }],
      }),
    },
    {
      name: "q",
      summary: points({ quantileValues: [{ quantile: 0.5, value: "Infinity" }, { value: "NaN" }] }),
    },
  ];
  const metricsJson = JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });
  assert.equal(text("metrics", jsonToProtobuf("metrics", Buffer.from(metricsJson))), metricsJson);

  const body = { kvlistValue: { values: [{ key: "b", value: { bytesValue: "AAEC/w==" } }] } };
  const logRecords = [{ severityNumber: 9, severityText: "Information", body, flags: 1 }];
  const logsJson = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
  assert.equal(text("logs", jsonToProtobuf("logs", Buffer.from(logsJson))), logsJson);
});

test("defaults are left out, but not where presence counts", () => {
  const zeros = written((writer) => {
    writer.bytesField(1, new Uint8Array());
    writer.stringField(5, "");
    writer.varintField(6, 0);
    writer.fixed64Field(7, 0n);
    writer.varintField(10, 0);
  });
  assert.equal(spanText(zeros), "{}");
  assert.equal(spanText(message(15, new Uint8Array())), '{"status":{}}');
  const value = (write: (writer: WireWriter) => void) =>
    spanText(message(9, message(2, written(write))));
  const found = [
    value((writer) => writer.stringField(1, "")),
    value((writer) => writer.varintField(2, 0)),
    value((writer) => writer.varintField(3, 0)),
    value((writer) => writer.doubleField(4, -0)),
    value((writer) => writer.bytesField(7, new Uint8Array())),
  ];
  const values = [
    '"stringValue":""',
    '"boolValue":false',
    '"intValue":"0"',
    '"doubleValue":-0',
    '"bytesValue":""',
  ];
  assert.deepEqual(
    found,
    values.map((each) => `{"attributes":[{"value":{${each}}}]}`),
  );
});

test("strings are escaped as JSON demands and no further", () => {
  const name = `"\\/\b\f\n\r\t\u0001\u001f\u007f é€😀\u2028${"x".repeat(40)}"`;
  const json = spanText(written((writer) => writer.stringField(5, name)));
  assert.equal(json, JSON.stringify({ name }));
  for (let code = 0; code < 0x100; code++) {
    for (const padding of ["", "a", "abc", "abcdefg"]) {
      const each = `${padding}${String.fromCharCode(code)}${padding}`;
      const one = spanText(written((writer) => writer.stringField(5, each)));
      assert.equal(one, JSON.stringify({ name: each }));
    }
  }
});

// Scenario: a text of control characters, of which each takes six bytes of JSON.
test("a string may become much longer than it was", () => {
  const name = "\u0001".repeat(100_000);
  const json = spanText(written((writer) => writer.stringField(5, name)));
  assert.equal(json, JSON.stringify({ name }));
});

test("64-bit integers are written in full, whatever their size", () => {
  const times = [
    1n,
    999_999_999n,
    1_000_000_000n,
    2n ** 32n - 1n,
    2n ** 32n,
    999_999_999_999_999_999n,
    1_000_000_000_000_000_000n,
    2n ** 53n + 1n,
    2n ** 63n,
    2n ** 64n - 1n,
  ];
  for (const time of times) {
    const json = spanText(written((writer) => writer.fixed64Field(7, time)));
    assert.equal(json, `{"startTimeUnixNano":"${time}"}`);
  }
  for (const value of [-1n, -(2n ** 53n), -(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n, -1_000_000n]) {
    const content = written((writer) => writer.varintField(3, value));
    const json = spanText(message(9, message(2, content)));
    assert.equal(json, `{"attributes":[{"value":{"intValue":"${value}"}}]}`);
  }
});

// Scenario: attributes before and after the name, the status in two parts, the kind twice.
test("fields that lie apart are gathered, parts of a message merge, the last scalar counts", () => {
  const attribute = (key: string) =>
    message(
      9,
      written((writer) => writer.stringField(1, key)),
    );
  const content = Buffer.concat([
    attribute("a"),
    message(
      15,
      written((writer) => writer.stringField(2, "broken")),
    ),
    written((writer) => {
      writer.stringField(5, "n");
      writer.varintField(6, 1);
    }),
    attribute("b"),
    written((writer) => writer.varintField(6, 2)),
    message(
      15,
      written((writer) => writer.varintField(3, 2)),
    ),
    attribute("c"),
  ]);
  assert.equal(
    spanText(content),
    '{"attributes":[{"key":"a"},{"key":"b"},{"key":"c"}],' +
      '"status":{"message":"broken","code":2},"name":"n","kind":2}',
  );
});

test("of a oneof only the last member is written", () => {
  const list = (value: number) =>
    message(
      5,
      message(
        1,
        written((writer) => writer.varintField(3, value)),
      ),
    );
  const asText = written((writer) => writer.stringField(1, "x"));
  const value = (...parts: Uint8Array[]) => spanText(message(9, message(2, Buffer.concat(parts))));
  assert.equal(value(list(1), asText), '{"attributes":[{"value":{"stringValue":"x"}}]}');
  // Two parts of the same list merge; another member between them drops the first.
  const elements = (...values: number[]) =>
    `{"attributes":[{"value":{"arrayValue":{"values":[${values.map((each) => `{"intValue":"${each}"}`).join()}]}}}]}`;
  assert.equal(value(list(1), list(2)), elements(1, 2));
  assert.equal(value(list(1), asText, list(2)), elements(2));
});

test("numbers of a list are read packed, one by one and mixed", () => {
  const point = Buffer.concat([
    written((writer) => writer.fixed64Field(6, 1n)),
    message(6, Buffer.from("02000000000000000300000000000000", "hex")),
    message(6, new Uint8Array()),
    written((writer) => writer.fixed64Field(6, 4n)),
  ]);
  const request = message(1, message(2, message(2, message(9, message(1, point)))));
  assert.match(text("metrics", request), /"dataPoints":\[\{"bucketCounts":\["1","2","3","4"\]\}\]/);
});

test("fields that OTLP does not define are dropped, and known ones of another wire type", () => {
  const content = written((writer) => {
    writer.varintField(1000, 1);
    writer.varintField(5, 7);
    writer.stringField(536_870_911, "x");
    writer.fixed32Field(31, 1);
    writer.stringField(5, "n");
    writer.fixed64Field(6, 1n);
  });
  assert.equal(spanText(content), '{"name":"n"}');
});

test("broken bytes are refused", () => {
  const broken = [
    ["0a", /ends behind its message/],
    ["0a05", /the field at byte 0 ends behind its message/],
    ["0b", /wire type 3/],
    ["0aff", /ends behind its message/],
    ["0a040a0212", /ends behind its message/],
  ] as const;
  for (const [hexadecimal, reason] of broken) {
    assert.throws(() => protobufToJson("traces", Buffer.from(hexadecimal, "hex")), {
      name: "JsonMappingError",
      message: reason,
    });
  }
  const odd = message(6, new Uint8Array(7));
  const request = message(1, message(2, message(2, message(9, message(1, odd)))));
  assert.throws(() => protobufToJson("metrics", request), /`bucket_counts` ends within an element/);
});

test("a string that is not UTF-8 is refused by its path", () => {
  const scope = (content: Uint8Array) => message(1, message(2, content));
  const good = message(2, message(5, Buffer.from("é")));
  const bad = message(2, message(5, Buffer.from("\xe9", "latin1")));
  assert.throws(
    () => protobufToJson("traces", scope(Buffer.concat([good, bad]))),
    (error) => {
      assert.ok(error instanceof JsonMappingError);
      assert.equal(error.path, "resourceSpans[0].scopeSpans[0].spans[1].name");
      return true;
    },
  );
});

test("messages may be nested as deep as the framing check allows, not deeper", () => {
  const nest = (lists: number, inner: Uint8Array) => {
    let value = inner;
    for (let level = 0; level < lists; level++) value = message(5, message(1, value));
    return message(1, message(1, message(1, message(2, value))));
  };
  const lists = (MAX_NESTED_MESSAGES - 4) / 2;
  const leaf = written((writer) => writer.varintField(2, 1));
  assert.match(text("traces", nest(lists, leaf)), /"boolValue":true/);
  assert.throws(
    () => protobufToJson("traces", nest(lists, message(5, new Uint8Array()))),
    /nested deeper than 100 messages/,
  );
});

// Scenario: a message of our own with the kinds of number that OTLP does not use today.
test("every scalar kind of protobuf converts both ways, at both ends of its range", () => {
  const element = new MessageSchema("test.Element", () => [scalar(1, "id", "int64")]);
  const schema = new MessageSchema("test.Scalars", () => [
    scalar(1, "a_float", "float"),
    scalar(2, "a_sint64", "sint64"),
    scalar(3, "a_sfixed32", "sfixed32"),
    scalar(4, "an_int32", "int32"),
    scalar(5, "a_uint64", "uint64"),
    scalars(6, "strings", "string"),
    scalars(7, "sints", "sint64"),
    enumerated(2000, "an_enum", defineEnum("test.Enum", { ONE: 1 })),
    nestedList(20, "elements", element),
  ]);
  const [least, most] = ["-9223372036854775808", "9223372036854775807"];
  const jsons = [
    '{"aFloat":1.5,"aSint64":"-1","aSfixed32":-2147483648,"anInt32":-2147483648}',
    `{"aFloat":"-Infinity","aSint64":"${least}","aUint64":"18446744073709551615"}`,
    `{"aSint64":"${most}","aSfixed32":2147483647,"strings":["","a"],"sints":["${least}","0","${most}"]}`,
    '{"anEnum":3,"elements":[{},{"id":"1"}]}',
    '{"aFloat":3.4028234663852886e+38}',
  ];
  for (const json of jsons) {
    const bytes = jsonToMessage(schema, Buffer.from(json));
    assert.equal(Buffer.from(messageToJson(schema, bytes)).toString(), json);
  }
  assert.throws(() => jsonToMessage(schema, Buffer.from('{"aFloat":3.5e38}')), /32 bits can hold/);
  assert.throws(() => jsonToMessage(schema, Buffer.from('{"strings":[null]}')), /a string/);
});
