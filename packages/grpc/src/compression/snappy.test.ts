import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { crc32c } from "./crc32c.js";
import { decodeSnappyBlock, SnappyError, snappyBlockBytes } from "./snappy-block.js";
import {
  decodeSnappyFrames,
  encodeSnappyBlock,
  encodeSnappyFrames,
  snappyFramesBytes,
} from "./snappy-frames.js";

/** Deterministic, half of it repetitive. */
function sample(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = 1;
  for (let index = 0; index < size; index++) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff;
    bytes[index] = index % 400 < 200 ? state >>> 16 : index % 7;
  }
  return bytes;
}

const sizes = [0, 1, 59, 60, 61, 255, 256, 257, 65_535, 65_536, 65_537, 300_000];

test("the checksum is RFC 3720's", () => {
  assert.equal(crc32c(Buffer.from("123456789")), 0xe306_9283);
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a91_36aa);
});

suite("snappy blocks", () => {
  test("what was compressed comes back", () => {
    for (const size of sizes) {
      const plain = sample(size);
      const block = encodeSnappyBlock(plain);
      assert.equal(snappyBlockBytes(block), size);
      assert.ok(plain.equals(decodeSnappyBlock(block)), `${size} bytes`);
    }
  });

  test("every kind of element is read as the format says", () => {
    // A literal, copies with one, two and four bytes of offset, one that overlaps itself.
    const block = Buffer.of(
      ...[20, 3 << 2, 97, 98, 99, 100], // "abcd"
      ...[((4 - 4) << 2) | 1, 4], // 4 from 4 before: "abcd"
      ...[((3 - 1) << 2) | 2, 8, 0], // 3 from 8 before: "abc"
      ...[((4 - 1) << 2) | 3, 4, 0, 0, 0], // 4 from 4 before: "dabc"
      ...[((5 - 4) << 2) | 1, 1], // 5 from 1 before: "ccccc"
    );
    assert.equal(decodeSnappyBlock(block).toString(), "abcdabcdabcdabcccccc");
  });

  test("a block that lies about itself is refused, without a byte outside of it", () => {
    for (const [what, bytes] of [
      ["no length", []],
      ["a length without end", [0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
      ["a length above 32 bits", [0xff, 0xff, 0xff, 0xff, 0x1f]],
      ["too little", [5, 3 << 2, 97, 98, 99, 100]],
      ["too much", [3, 3 << 2, 97, 98, 99, 100]],
      ["a literal beyond its end", [4, 3 << 2, 97]],
      ["a literal's length beyond the end", [100, 61 << 2, 1]],
      ["a copy from before the beginning", [8, 3 << 2, 97, 98, 99, 100, 1, 5]],
      ["a copy of offset 0", [8, 3 << 2, 97, 98, 99, 100, 1, 0]],
      ["a copy beyond the output", [7, 3 << 2, 97, 98, 99, 100, 1, 4]],
      ["a copy with a negative offset", [8, 3 << 2, 97, 98, 99, 100, 15, 0xff, 0xff, 0xff, 0xff]],
      ["a copy cut short", [8, 3 << 2, 97, 98, 99, 100, 2, 4]],
    ] as const) {
      assert.throws(() => decodeSnappyBlock(Uint8Array.from(bytes)), SnappyError, what);
    }
  });

  test("any damaged byte gives an error or other bytes, nothing else", () => {
    const block = encodeSnappyBlock(sample(2_000));
    for (let index = 2; index < block.length; index++) {
      const damaged = Uint8Array.from(block);
      damaged[index] = (damaged[index] ?? 0) ^ (1 << (index % 8));
      try {
        assert.equal(decodeSnappyBlock(damaged).length, 2_000);
      } catch (error) {
        assert.ok(error instanceof SnappyError);
      }
    }
  });
});

suite("snappy streams", () => {
  test("what was compressed comes back", () => {
    for (const size of sizes) {
      const plain = sample(size);
      const stream = encodeSnappyFrames(plain);
      assert.equal(snappyFramesBytes(stream), size);
      assert.ok(plain.equals(decodeSnappyFrames(stream)), `${size} bytes`);
    }
  });

  test("a stream of Go's writer is read", () => {
    // snappy.NewBufferedWriter, "aaaa…" 40 times.
    const stream = Buffer.concat([
      Buffer.from("ff060000734e61507059", "hex"),
      chunk(0, Buffer.of(40, 0, 97, (38 << 2) | 2, 1, 0), Buffer.alloc(40, "a")),
    ]);
    assert.equal(decodeSnappyFrames(stream).toString(), "a".repeat(40));
  });

  test("chunks to pass over are, others that are wrong are not", () => {
    const identifier = Buffer.from("ff060000734e61507059", "hex");
    const data = chunk(1, Buffer.from("data"), Buffer.from("data"));
    const padding = Buffer.of(0xfe, 2, 0, 0, 1, 2);
    const right = Buffer.concat([identifier, padding, data, identifier, data]);
    assert.equal(decodeSnappyFrames(right).toString(), "datadata");
    const wrongSum = Buffer.from(data);
    wrongSum[4] = (wrongSum[4] ?? 0) ^ 1;
    const large = Buffer.alloc(65_537);
    for (const [what, parts] of [
      ["no identifier", [data]],
      ["another identifier", [Buffer.from("ff060000734e61507058", "hex"), data]],
      ["a wrong checksum", [identifier, wrongSum]],
      ["a reserved type", [identifier, Buffer.of(2, 0, 0, 0)]],
      ["a chunk without a checksum", [identifier, Buffer.of(1, 3, 0, 0, 1, 2, 3)]],
      ["a chunk cut short", [identifier, data.subarray(0, -1)]],
      ["a header cut short", [identifier, data.subarray(0, 3)]],
      ["a chunk above 64 KiB", [identifier, chunk(1, large, large)]],
    ] as const) {
      assert.throws(() => decodeSnappyFrames(Buffer.concat(parts)), SnappyError, what);
    }
  });
});

function chunk(type: number, data: Buffer, plain: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(type, 0);
  header.writeUIntLE(data.length + 4, 1, 3);
  const sum = crc32c(plain);
  header.writeUInt32LE((((sum >>> 15) | (sum << 17)) + 0xa282_ead8) >>> 0, 4);
  return Buffer.concat([header, data]);
}
