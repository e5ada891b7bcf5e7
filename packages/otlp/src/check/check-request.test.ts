import assert from "node:assert/strict";
import test from "node:test";
import { buildRequest, requestType } from "@inode-gateway/testkit";
import { signals } from "../signal.js";
import { WireWriter } from "../wire/wire-writer.js";
import { checkRequest } from "./check-request.js";
import { FramingError } from "./framing-error.js";

test("requests as SDKs send them pass, and so does the empty request of every signal", () => {
  for (const signal of ["traces", "metrics", "logs"] as const) {
    checkRequest(signal, buildRequest(signal, { resources: 3, scopesPerResource: 2 }));
  }
  for (const signal of signals) checkRequest(signal, new Uint8Array());
});

test("the error names the byte offset and the path of the fault", () => {
  const request = buildRequest("traces", {
    resources: 4,
    itemsPerScope: 1,
    resourceAttributes: (index) => ({ "service.name": index === 3 ? "\u00e9t\u00e9" : "summer" }),
  });
  const offset = Buffer.from(request).indexOf("\u00e9t\u00e9");
  request[offset + 1] = 0x20;
  assertFault(
    () => checkRequest("traces", request),
    offset,
    "resource_spans[3].resource.attributes[0].value.string_value",
    `text is not valid UTF-8, at byte ${offset} in ` +
      "`resource_spans[3].resource.attributes[0].value.string_value`",
  );
});

test("a path counts the elements of repeated fields and not packed ones", () => {
  const request = message(1, message(2, message(2, message(9, message(1, [0x32, 1, 0])))));
  assertFault(
    () => checkRequest("metrics", request),
    12,
    "resource_metrics[0].scope_metrics[0].metrics[0].histogram.data_points[0].bucket_counts",
    /^packed content of 1 bytes, elements take 8/,
  );
});

test("a length may reach the end of its message and not one byte further", () => {
  checkRequest("traces", Uint8Array.of(0x0a, 2, 0x1a, 0));
  assertFault(
    () => checkRequest("traces", Uint8Array.of(0x0a, 3, 0x1a, 0)),
    1,
    "resource_spans[0]",
    "length 3, 2 bytes left in the message, at byte 1 in `resource_spans[0]`",
  );
  // Inside its parent: the request is long enough, the ResourceSpans is not.
  assertFault(
    () => checkRequest("traces", Uint8Array.of(0x0a, 2, 0x1a, 1, 0x0a, 0)),
    3,
    "resource_spans[0].schema_url",
    /^length 1, 0 bytes left/,
  );
});

test("a message may not end inside a tag, a length, a varint or a fixed number", () => {
  const span = (...bytes: number[]) => message(1, message(2, message(2, bytes)));
  for (const whole of [
    [0x85, 0x01, 1, 2, 3, 4],
    [0x39, 1, 2, 3, 4, 5, 6, 7, 8],
    [0x50, 0x96, 1],
  ]) {
    checkRequest("traces", span(...whole));
    for (let length = 1; length < whole.length; length++) {
      assert.throws(() => checkRequest("traces", span(...whole.slice(0, length))), FramingError);
    }
  }
  assert.throws(
    () => checkRequest("traces", Uint8Array.of(0x0a)),
    /length is cut off after 0 bytes/,
  );
});

test("field numbers begin at 1 and end where 32 bits of a tag end", () => {
  const reject = (...bytes: number[]) =>
    assert.throws(() => checkRequest("logs", Uint8Array.from(bytes)), FramingError);
  checkRequest("logs", Uint8Array.of(0x0a, 0));
  assertFault(
    () => checkRequest("logs", Uint8Array.of(0x02, 0)),
    0,
    "",
    "field number 0, at byte 0 in the request itself",
  );
  checkRequest("logs", Uint8Array.of(0xf8, 0xff, 0xff, 0xff, 0x0f, 1));
  reject(0xf8, 0xff, 0xff, 0xff, 0x1f, 1);
  // As long as a tag may be, and one byte longer.
  checkRequest("logs", Uint8Array.of(0x8a, 0x80, 0x80, 0x80, 0x00, 0));
  reject(0x8a, 0x80, 0x80, 0x80, 0x80, 0x00, 0);
});

test("a length takes at most five bytes", () => {
  checkRequest("logs", Uint8Array.of(0x0a, 0x80, 0x80, 0x80, 0x80, 0));
  assert.throws(
    () => checkRequest("logs", Uint8Array.of(0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0)),
    /varint of a length has more than 32 bits/,
  );
  assert.throws(
    () => checkRequest("logs", Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f)),
    /length 4294967295, 0 bytes left/,
  );
});

test("a value takes at most ten bytes and 64 bits, known or unknown, alone or packed", () => {
  const nine = Array.from({ length: 9 }, () => 0xff);
  const cases: ((value: number[]) => Uint8Array)[] = [
    (value) => Uint8Array.of(0x98, 0x06, ...value),
    (value) => message(1, message(2, message(2, [0x50, ...value]))),
  ];
  for (const build of cases) {
    checkRequest("traces", build([...nine, 0x01]));
    for (const last of [[0x02], [0x7f], [0x81, 0x00]]) {
      assert.throws(
        () => checkRequest("traces", build([...nine, ...last])),
        /varint of a value has more than 64 bits/,
      );
    }
  }
  const packed = (value: number[]) =>
    message(1, message(2, message(2, message(2, message(4, value)))));
  checkRequest("profiles", packed([...nine, 0x01, 0x05]));
  assert.throws(
    () => checkRequest("profiles", packed([...nine, 0x02])),
    /varint of a packed value/,
  );
  assert.throws(() => checkRequest("profiles", packed([0x05, 0x80])), /packed value is cut off/);
});

test("wire types 3, 4, 6 and 7 are refused, of known and of unknown fields", () => {
  for (const wireType of [3, 4, 6, 7]) {
    for (const number of [1, 3, 13]) {
      assertFault(
        () => checkRequest("traces", Uint8Array.of(number * 8 + wireType)),
        0,
        number === 1 ? "resource_spans[0]" : "",
        new RegExp(`^wire type ${wireType} .* of field ${number} is not used by OTLP`),
      );
    }
  }
});

test("a field that OTLP defines has the wire type of its kind", () => {
  assertFault(
    () => checkRequest("traces", Uint8Array.of(0x08, 1)),
    0,
    "resource_spans[0]",
    /^wire type 0 \(varint\) of field 1, its kind message takes 2/,
  );
  const point = (...bytes: number[]) =>
    message(1, message(2, message(2, message(9, message(1, bytes)))));
  // bucket_counts, fixed64: packed, one by one, and as a varint.
  checkRequest("metrics", point(0x32, 8, 0, 0, 0, 0, 0, 0, 0, 0));
  checkRequest("metrics", point(0x31, 0, 0, 0, 0, 0, 0, 0, 0));
  assert.throws(() => checkRequest("metrics", point(0x30, 0)), /its kind fixed64 takes 1/);
  // count, fixed64, not repeated: never packed.
  assert.throws(() => checkRequest("metrics", point(0x22, 0)), /its kind fixed64 takes 1/);
});

test("identifiers are empty or have their length", () => {
  const span = (number: number, length: number) =>
    message(1, message(2, message(2, message(number, new Uint8Array(length)))));
  for (const [number, length] of [
    [1, 16],
    [2, 8],
    [4, 8],
  ] as const) {
    checkRequest("traces", span(number, 0));
    checkRequest("traces", span(number, length));
    for (const wrong of [1, length - 1, length + 1]) {
      assert.throws(
        () => checkRequest("traces", span(number, wrong)),
        new RegExp(`identifier of ${wrong} bytes, must have ${length} or none`),
      );
    }
  }
});

test("text is valid UTF-8, wherever in it the first character outside of ASCII stands", () => {
  const withUrl = (text: Uint8Array) => message(1, message(3, text));
  const bad = [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x80]];
  for (let before = 0; before <= 17; before++) {
    const ascii = Buffer.alloc(before, "a");
    checkRequest("traces", withUrl(Buffer.concat([ascii, Buffer.from("\u00e9\u{1f600}")])));
    for (const bytes of bad) {
      const text = Buffer.concat([ascii, Uint8Array.from(bytes)]);
      assert.throws(() => checkRequest("traces", withUrl(text)), /not valid UTF-8/);
    }
  }
});

test("keys and values of attributes are checked, whatever else their message holds", () => {
  const attribute = (...bytes: number[]) => message(1, message(1, message(1, bytes)));
  checkRequest("traces", attribute(0x0a, 1, 0x61, 0x12, 3, 0x0a, 1, 0x62));
  assert.throws(() => checkRequest("traces", attribute(0x0a, 1, 0xff, 0x12, 0)), /UTF-8/);
  assert.throws(
    () => checkRequest("traces", attribute(0x0a, 1, 0xff, 0x12, 2, 0x10, 1)),
    /attributes\[0\].key`$/,
  );
  assert.throws(
    () => checkRequest("traces", attribute(0x0a, 1, 0xff, 0x12, 9, 0x21, 0, 0, 0, 0, 0, 0, 0, 0)),
    /attributes\[0\].key`$/,
  );
  assert.throws(
    () => checkRequest("traces", attribute(0x0a, 1, 0x61, 0x12, 3, 0x0a, 1, 0xff)),
    /attributes\[0\].value.string_value`$/,
  );
  assert.throws(() => checkRequest("traces", attribute(0x0a, 1, 0x61, 0x12, 3, 0x0a, 2, 0x62)), {
    path: "resource_spans[0].resource.attributes[0].value.string_value",
  });
  assert.throws(() => checkRequest("traces", attribute(0x12, 2, 0x18, 0x80)), /cut off/);
});

// Scenario: arrays inside each other in the body of a log record, which is on level 4 below the
// request; every array adds two levels, ArrayValue and AnyValue.
// Guarantees: level 100 is accepted, 101 refused, which is also where protobufjs draws the line.
test("messages stand at most 100 deep, as in protobuf's own libraries", () => {
  const nested = (levels: number): Uint8Array => {
    let value: Uint8Array = new Uint8Array();
    for (let level = levels; level > 4; level--) value = message(level % 2 === 1 ? 5 : 1, value);
    return message(1, message(2, message(2, message(5, value))));
  };
  checkRequest("logs", nested(100));
  requestType("logs").decode(nested(100));
  assert.throws(
    () => checkRequest("logs", nested(101)),
    /message at nesting level 101, the limit is 100/,
  );
  assert.throws(() => requestType("logs").decode(nested(101)), /max depth exceeded/);
});

// Scenario: maps inside each other, so that a KeyValue of the usual form crosses the limit.
test("the shortcut for the usual attribute keeps the depth limit", () => {
  const nested = (maps: number): Uint8Array => {
    let value: Uint8Array = message(1, "x");
    for (let map = 0; map < maps; map++) {
      value = message(6, message(1, concat(message(1, "k"), message(2, value))));
    }
    return message(1, message(2, message(2, message(5, value))));
  };
  // The body is level 4; every map adds KeyValueList, KeyValue and AnyValue.
  checkRequest("logs", nested(32));
  assert.throws(() => checkRequest("logs", nested(33)), /nesting level 101/);
});

test("fields that OTLP does not define may hold anything of a known wire type", () => {
  const unknown = [0x6a, 2, 0xff, 0xfe, 0x69, 1, 2, 3, 4, 5, 6, 7, 8, 0x6d, 1, 2, 3, 4, 0x68, 1];
  checkRequest("traces", Uint8Array.from(unknown));
  checkRequest("traces", message(1, message(1, unknown)));
  checkRequest("traces", Uint8Array.of(0x82, 0x02, 1, 0xff));
});

// Scenario: field 1000 of ResourceSpans, which OTLP gave up and Go's pdata still decodes as a ScopeSpans.
// Guarantees: what pdata would refuse is refused, and nowhere else does the number mean anything.
test("the list of scopes that OTLP has given up is checked as what it was", () => {
  const names = { traces: "spans", metrics: "metrics", logs: "logs" } as const;
  for (const signal of ["traces", "metrics", "logs"] as const) {
    const scopes = `resource_${names[signal]}[0].deprecated_scope_${names[signal]}[0]`;
    checkRequest(signal, message(1, message(1000, message(3, "url"))));
    assertFault(
      () => checkRequest(signal, message(1, message(1000, message(3, [0xff])))),
      7,
      `${scopes}.schema_url`,
      /^text is not valid UTF-8/,
    );
    // A varint and a fixed number, where a message has to be.
    for (const other of [
      [0xc0, 0x3e, 1],
      [0xc5, 0x3e, 1, 2, 3, 4],
    ]) {
      assertFault(
        () => checkRequest(signal, message(1, other)),
        2,
        scopes,
        /of field 1000, its kind message takes 2/,
      );
      checkRequest(signal, Uint8Array.from(other));
      checkRequest(signal, message(1, message(1, other)));
    }
    checkRequest(signal, message(1, message(1001, [0xff])));
  }
  checkRequest("profiles", message(1, message(1000, [0xff])));
});

test("bytes that are a part of a larger buffer are checked within their bounds", () => {
  const request = buildRequest("logs", { seed: 7 });
  const larger = new Uint8Array(request.length + 20).fill(0xff);
  larger.set(request, 10);
  checkRequest("logs", larger.subarray(10, 10 + request.length));
  assert.throws(() => checkRequest("logs", larger.subarray(10, 9 + request.length)), FramingError);
});

function assertFault(
  check: () => void,
  byteOffset: number,
  path: string,
  message: string | RegExp,
): void {
  assert.throws(check, { name: "FramingError", byteOffset, path, message });
}

function message(number: number, content: Iterable<number> | string): Uint8Array {
  const writer = new WireWriter();
  writer.bytesField(
    number,
    typeof content === "string" ? Buffer.from(content) : Uint8Array.from(content),
  );
  return writer.finish();
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}
