import assert from "node:assert/strict";
import test from "node:test";
import { otlpDefinitions } from "@inode-gateway/testkit";
import type { AttributeScalar } from "../attribute/attribute-value.js";
import { writeAttribute } from "../attribute/write-attribute.js";
import { ResourceView } from "../views/resource-view.js";
import { WireWriter } from "../wire/wire-writer.js";
import { type AttributeEdit, editResource } from "./edit-resource.js";

test("an existing key is replaced where it stands, a new one is appended", () => {
  const edited = edit(resource(["a", 1], ["b", 2], ["c", 3]), {
    set: new Map<string, AttributeScalar>([
      ["d", "new"],
      ["b", "replaced"],
    ]),
  });
  assert.deepEqual(attributes(edited), [
    ["a", 1],
    ["b", "replaced"],
    ["c", 3],
    ["d", "new"],
  ]);
});

test("a key that is set and occurs twice occurs once afterwards, at its first place", () => {
  const edited = edit(resource(["b", 1], ["a", 1], ["b", 2]), { set: new Map([["b", 3]]) });
  assert.deepEqual(attributes(edited), [
    ["b", 3],
    ["a", 1],
  ]);
});

test("setIfAbsent leaves what is there, and adds what is not, once", () => {
  const edited = edit(resource(["a", 1]), {
    set: new Map([["b", 7]]),
    setIfAbsent: new Map([
      ["a", 9],
      ["b", 9],
      ["c", 9],
    ]),
  });
  assert.deepEqual(attributes(edited), [
    ["a", 1],
    ["b", 7],
    ["c", 9],
  ]);
});

test("remove takes every occurrence; a key that is also set stays in its place", () => {
  const source = resource(["a", 1], ["b", 1], ["a", 2], ["c", 3]);
  assert.deepEqual(attributes(edit(source, { remove: new Set(["a"]) })), [
    ["b", 1],
    ["c", 3],
  ]);
  const both = { remove: new Set(["a"]), set: new Map([["a", 5]]) };
  assert.deepEqual(attributes(edit(source, both)), [
    ["a", 5],
    ["b", 1],
    ["c", 3],
  ]);
  const absent = { remove: new Set(["a"]), setIfAbsent: new Map([["a", 5]]) };
  assert.deepEqual(attributes(edit(source, absent)), [
    ["b", 1],
    ["c", 3],
    ["a", 5],
  ]);
});

test("an edit that touches nothing returns the same bytes, shared", () => {
  const bytes = resource(["a", 1]);
  const edited = edit(bytes, { remove: new Set(["x"]), setIfAbsent: new Map([["a", 2]]) });
  assert.deepEqual(edited, bytes);
  assert.equal(edited.buffer, bytes.buffer);
  assert.deepEqual(edit(new Uint8Array(), {}), new Uint8Array());
});

test("dropped count, entity references, unknown fields and their order are kept", () => {
  const writer = new WireWriter();
  writer.varintField(2, 4);
  writeAttribute(writer, 1, "gone", true);
  writer.bytesField(77, Uint8Array.of(1, 2, 3));
  const entity = writer.startMessage(3);
  writer.stringField(2, "service");
  writer.endMessage(entity);
  writeAttribute(writer, 1, "kept", true);
  writer.fixed32Field(78, 5);
  const bytes = writer.finish();

  const expected = new WireWriter();
  expected.varintField(2, 4);
  expected.bytesField(77, Uint8Array.of(1, 2, 3));
  const expectedEntity = expected.startMessage(3);
  expected.stringField(2, "service");
  expected.endMessage(expectedEntity);
  writeAttribute(expected, 1, "kept", true);
  expected.fixed32Field(78, 5);
  writeAttribute(expected, 1, "added", "x");

  const edited = edit(bytes, { remove: new Set(["gone"]), set: new Map([["added", "x"]]) });
  assert.deepEqual(Buffer.from(edited), Buffer.from(expected.finish()));
});

test("every type of value arrives as protobufjs reads it", () => {
  const values: [AttributeScalar, object][] = [
    ["", { string_value: "" }],
    ["\u00e9\u{1f600}", { string_value: "\u00e9\u{1f600}" }],
    [true, { bool_value: true }],
    [false, { bool_value: false }],
    [0, { int_value: "0" }],
    [-1, { int_value: "-1" }],
    [Number.MAX_SAFE_INTEGER, { int_value: "9007199254740991" }],
    [2 ** 53, { double_value: 2 ** 53 }],
    [0.5, { double_value: 0.5 }],
    [Number.NaN, { double_value: Number.NaN }],
    [-(2n ** 63n), { int_value: "-9223372036854775808" }],
    [2n ** 63n - 1n, { int_value: "9223372036854775807" }],
    [[], { array_value: {} }],
    [["a", "b"], { array_value: { values: [{ string_value: "a" }, { string_value: "b" }] } }],
  ];
  for (const [value, expected] of values) {
    const type = otlpDefinitions().lookupType("opentelemetry.proto.resource.v1.Resource");
    const decoded = type.decode(edit(new Uint8Array(), { set: new Map([["key", value]]) }));
    assert.deepEqual(type.toObject(decoded, { longs: String }), {
      attributes: [{ key: "key", value: expected }],
    });
  }
});

test("an integer of more than 64 bits is refused", () => {
  for (const value of [2n ** 63n, -(2n ** 63n) - 1n]) {
    assert.throws(() => edit(new Uint8Array(), { set: new Map([["key", value]]) }), {
      name: "RangeError",
      message: `integer ${value} is outside the signed 64 bits of an attribute`,
    });
  }
});

test("only the given range is read, and the source is not modified", () => {
  const inner = resource(["a", 1], ["b", 2]);
  const outer = Buffer.concat([Buffer.alloc(5, 0xff), inner, Buffer.alloc(5, 0xff)]);
  const before = Buffer.from(outer);
  const edited = editResource(outer, 5, 5 + inner.length, { remove: new Set(["a"]) });
  assert.deepEqual(attributes(edited), [["b", 2]]);
  assert.deepEqual(outer, before);
});

function edit(bytes: Uint8Array, change: AttributeEdit): Uint8Array {
  return editResource(bytes, 0, bytes.length, change);
}

function resource(...pairs: (readonly [string, AttributeScalar])[]): Uint8Array {
  const writer = new WireWriter();
  for (const [key, value] of pairs) writeAttribute(writer, 1, key, value);
  return writer.finish();
}

function attributes(bytes: Uint8Array): [string, unknown][] {
  return [...new ResourceView(bytes).attributes()];
}
