import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AttributeList,
  type AttributeScalar,
  type AttributeValue,
  encodeDoubleValue,
  MessageSplice,
  ResourceView,
  WireWriter,
  writeAttribute,
} from "@inode-gateway/otlp";
import { createTestOrigin } from "@inode-gateway/testkit";
import { AttributeActions } from "./attribute-actions.js";
import { attributeActions } from "./config.js";
import { contextReader } from "./context-value.js";
import { convertValue } from "./convert-value.js";
import { parseGoDouble, parseGoInteger } from "./go-numbers.js";
import { KeyPattern } from "./key-pattern.js";

function apply(
  pairs: readonly (readonly [string, AttributeScalar])[],
  ...actions: readonly object[]
): [string, AttributeValue][] {
  const writer = new WireWriter();
  for (const [key, value] of pairs) writeAttribute(writer, 1, key, value);
  const bytes = writer.finish();
  const list = new AttributeList();
  list.load(bytes, 0, bytes.length, 1);
  new AttributeActions(attributeActions("none").parse(actions)).apply(list, createTestOrigin());
  const splice = new MessageSplice(bytes, bytes.length);
  list.writeTo(splice);
  return [...new ResourceView(splice.finish()).attributes()];
}

// Scenario: the specification forbids equal keys, and a sender writes them all the same.
test("of equal keys setting leaves one, delete none, and hash hides them all", () => {
  const twice = [
    ["k", "one"],
    ["other", 1],
    ["k", "two"],
  ] as const;
  assert.deepEqual(apply(twice, { key: "k", action: "update", value: "new" }), [
    ["k", "new"],
    ["other", 1],
  ]);
  assert.deepEqual(apply(twice, { key: "k", action: "delete" }), [["other", 1]]);
  const hashed = apply(twice, { key: "k", action: "hash" });
  assert.deepEqual(
    hashed.map(([key, value]) => [key, String(value).length]),
    [
      ["k", 64],
      ["other", 1],
      ["k", 64],
    ],
  );
});

test("a later action sees what an earlier one did", () => {
  assert.deepEqual(
    apply(
      [["a", 1]],
      { key: "b", action: "insert", from_attribute: "a" },
      { key: "a", action: "delete" },
      { key: "a", action: "insert", from_attribute: "b" },
      { key: "b", action: "delete" },
      { key: "b", action: "update", value: "never" },
    ),
    [["a", 1]],
  );
});

test("a double outside of 64 bits stays when it is converted to int", () => {
  for (const [value, isConverted] of [
    [2 ** 63, false],
    [-(2 ** 63), true],
    [2 ** 62, true],
    [Number.NaN, false],
    [Number.NEGATIVE_INFINITY, false],
  ] as const) {
    assert.equal(convertValue(encodeDoubleValue(value), "int") !== undefined, isConverted);
  }
});

test("numbers in text are read as Go reads them", () => {
  const min = -(2n ** 63n);
  assert.equal(parseGoInteger(`${min}`), min);
  assert.equal(parseGoInteger(`${min - 1n}`), undefined);
  assert.equal(parseGoInteger("+12"), 12n);
  for (const text of ["", "1_0", "0x1", "1.0", " 1", "1".repeat(401)]) {
    assert.equal(parseGoInteger(text), undefined, text);
  }
  for (const [text, value] of [
    ["1_000.5", 1000.5],
    [".5e1", 5],
    ["0x1.8p1", 3],
    ["0x_1p0", 1],
    ["-inf", Number.NEGATIVE_INFINITY],
    ["1e400", undefined],
    ["1__0", undefined],
    ["_1", undefined],
    ["1_", undefined],
    ["1_e5", undefined],
    ["1e_5", undefined],
    ["0x1_p0", undefined],
    ["1._5", undefined],
    ["0x1", undefined],
    ["+nan", undefined],
    ["", undefined],
  ] as const) {
    assert.equal(parseGoDouble(text), value, text);
  }
});

test("the sender's address is told without its port", () => {
  const read = contextReader("client.address");
  for (const [peer, address] of [
    ["10.0.0.7:4317", "10.0.0.7"],
    ["[fd00::7]:4317", "fd00::7"],
    ["unix:/run/otlp.sock", "unix:/run/otlp.sock"],
    ["several", "several"],
  ] as const) {
    assert.equal(read(createTestOrigin({ peer })), address);
  }
});

test("what a pattern remembers is bounded, and its answers stay right", () => {
  const pattern = new KeyPattern("^a", 2);
  for (let round = 0; round < 3; round++) {
    for (const text of ["a", "b", "ab", "ba", `a${"x".repeat(300)}`]) {
      assert.equal(pattern.matches(text), text.startsWith("a"), text);
    }
  }
});
