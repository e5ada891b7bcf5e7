import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { FieldCursor } from "./field-cursor.js";
import { readDouble, readFixed32, readFixed64, readSfixed64 } from "./fixed.js";
import {
  endOfVarint,
  readInt64,
  readUint64,
  readVarint32,
  varint32Length,
  writeVarint32,
} from "./varint.js";
import { WireWriter } from "./wire-writer.js";

test("a 64-bit varint reads as what was written, signed and unsigned", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (value) => {
      const bytes = encode((writer) => writer.varintField(1, value));
      assert.equal(BigInt(readInt64(bytes, 1)), BigInt.asIntN(64, value));
      assert.equal(BigInt(readUint64(bytes, 1)), BigInt.asUintN(64, value));
      assert.equal(readVarint32(bytes, 1), Number(BigInt.asUintN(32, value)));
      assert.equal(endOfVarint(bytes, 1), bytes.length);
    }),
  );
});

test("64-bit integers are numbers up to the last safe one, bigints from the next", () => {
  const last = BigInt(Number.MAX_SAFE_INTEGER);
  for (const [value, type] of [
    [last, "number"],
    [last + 1n, "bigint"],
    [-last, "number"],
    [-last - 1n, "bigint"],
  ] as const) {
    const varint = encode((writer) => writer.varintField(1, value));
    assert.equal(typeof readInt64(varint, 1), type);
    const fixed = encode((writer) => writer.fixed64Field(1, value));
    assert.equal(typeof readSfixed64(fixed, 1), type);
    assert.equal(BigInt(readSfixed64(fixed, 1)), value);
  }
});

test("the length of a 32-bit varint is known before it is written", () => {
  for (const value of [
    0, 0x7f, 0x80, 0x3fff, 0x4000, 0x1f_ffff, 0x20_0000, 0xfff_ffff, 0x1000_0000, 0xffff_ffff,
  ]) {
    const bytes = new Uint8Array(6);
    assert.equal(writeVarint32(bytes, 0, value), varint32Length(value));
    assert.equal(readVarint32(bytes, 0), value);
    assert.equal(endOfVarint(bytes, 0), varint32Length(value));
  }
});

test("fixed numbers read as what was written", () => {
  fc.assert(
    fc.property(fc.double(), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (double, fixed) => {
      const bytes = encode((writer) => {
        writer.doubleField(1, double);
        writer.fixed64Field(1, fixed);
        writer.fixed32Field(1, Number(BigInt.asUintN(32, fixed)));
      });
      assert.ok(Object.is(readDouble(bytes, 1), double));
      assert.equal(readFixed64(bytes, 10), fixed);
      assert.equal(BigInt(readFixed32(bytes, 19)), BigInt.asUintN(32, fixed));
    }),
  );
});

test("messages inside each other have the right lengths, however long they grow", () => {
  for (const size of [0, 1, 125, 126, 127, 128, 16_380, 16_384, 2_097_150, 2_097_152]) {
    const content = Buffer.alloc(size, 7);
    const bytes = encode((writer) => {
      const outer = writer.startMessage(1);
      const inner = writer.startMessage(2);
      writer.append(content);
      writer.endMessage(inner);
      writer.varintField(3, 5);
      writer.endMessage(outer);
    });
    const outer = new FieldCursor(bytes, 0, bytes.length);
    assert.ok(outer.next());
    assert.equal(outer.contentEnd, bytes.length);
    const inner = new FieldCursor(bytes, outer.contentStart, outer.contentEnd);
    assert.ok(inner.next());
    assert.equal(inner.contentEnd - inner.contentStart, size);
    assert.ok(inner.next() && inner.number === 3 && !inner.next());
  }
});

test("lone surrogates are written as U+FFFD", () => {
  const bytes = encode((writer) => writer.stringField(1, "a\ud800b"));
  assert.deepEqual([...bytes], [0x0a, 5, 0x61, 0xef, 0xbf, 0xbd, 0x62]);
});

test("a cursor refuses to leave its message, and wire types without a meaning", () => {
  for (const bytes of [[0x0a, 2, 0], [0x09, 1, 2, 3], [0x0d, 1], [0x08, 0x80], [0x0b], [0x0e]]) {
    const field = new FieldCursor(Uint8Array.from(bytes), 0, bytes.length);
    assert.throws(() => field.next(), RangeError, bytes.join(" "));
  }
});

function encode(write: (writer: WireWriter) => void): Uint8Array {
  const writer = new WireWriter(1);
  write(writer);
  return writer.finish();
}
