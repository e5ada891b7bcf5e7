import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import { readCallHead } from "./call-head.js";
import { encodeSnappyFrames } from "./compression/snappy-frames.js";
import { zstd } from "./compression/zstd.js";
import { type Decompressed, decompress, SYNC_OUTPUT_BYTES_MAX } from "./decompress.js";

interface Outcome {
  readonly result: Decompressed;
  readonly isSync: boolean;
}

function run(
  message: Uint8Array,
  encoding: "deflate" | "gzip" | "snappy" | "zstd",
  limitBytes: number,
): Promise<Outcome> {
  return new Promise((resolve) => {
    let isSync = true;
    decompress(message, encoding, limitBytes, (result) => resolve({ result, isSync }));
    isSync = false;
  });
}

test("returns what was compressed, small on the event loop and large beside it", async () => {
  for (const size of [0, 1, 4_700, 225_658, SYNC_OUTPUT_BYTES_MAX, SYNC_OUTPUT_BYTES_MAX + 1]) {
    const plain = Buffer.alloc(size, "span");
    const { result, isSync } = await run(gzipSync(plain), "gzip", size);
    assert.ok("bytes" in result && plain.equals(result.bytes), `${size} bytes`);
    assert.equal(isSync, size <= SYNC_OUTPUT_BYTES_MAX);
    const inflated = await run(deflateSync(plain), "deflate", size);
    assert.ok("bytes" in inflated.result && plain.equals(inflated.result.bytes));
  }
});

test("refuses one byte above the limit", async () => {
  for (const limit of [0, 1, 999, SYNC_OUTPUT_BYTES_MAX, 2 * SYNC_OUTPUT_BYTES_MAX]) {
    const message = Buffer.alloc(limit + 1);
    for (const encoding of ["gzip", "deflate"] as const) {
      const packed = encoding === "gzip" ? gzipSync(message) : deflateSync(message);
      assert.deepEqual((await run(packed, encoding, limit)).result, { fault: "size" });
    }
  }
});

// Scenario: the size that gzip states at its end is a lie, in both directions.
test("does not trust the size a message claims", async () => {
  const plain = Buffer.alloc(3 * SYNC_OUTPUT_BYTES_MAX);
  const modest = gzipSync(plain);
  const members = Buffer.concat([modest, gzipSync("x")]);
  const { result } = await run(members, "gzip", 8 * SYNC_OUTPUT_BYTES_MAX);
  assert.ok("bytes" in result && result.bytes.length === plain.length + 1, "claims one byte");
  assert.deepEqual((await run(members, "gzip", 1_000)).result, { fault: "size" });
  const boastful = gzipSync("small");
  boastful.writeUInt32LE(0xffff_ffff, boastful.length - 4);
  assert.deepEqual((await run(boastful, "gzip", 1_000)).result, { fault: "format" });
});

test("tells damaged data from large data", async () => {
  const packed = gzipSync(Buffer.alloc(5_000, "abc"));
  for (const damaged of [
    new Uint8Array(),
    packed.subarray(0, -1),
    packed.subarray(1),
    Buffer.concat([packed, Buffer.from("tail")]),
    Buffer.from("not gzip at all, but long enough"),
  ]) {
    assert.deepEqual((await run(damaged, "gzip", 10_000)).result, { fault: "format" });
  }
});

const snappyBomb = Buffer.concat([
  Buffer.from("ff060000734e61507059", "hex"),
  ...Array.from({ length: 16_384 }, () => snappyChunkOfZeros()),
]);

/** 64 KiB of zeros in one chunk of the framing format. */
function snappyChunkOfZeros(): Buffer {
  return encodeSnappyFrames(Buffer.alloc(65_536)).subarray(10);
}

test("snappy: what fits comes back, one byte more and damage are told apart", async () => {
  for (const size of [0, 1, 65_537, 2 * SYNC_OUTPUT_BYTES_MAX]) {
    const plain = Buffer.alloc(size, "span");
    const packed = encodeSnappyFrames(plain);
    const { result } = await run(packed, "snappy", size);
    assert.ok("bytes" in result && plain.equals(result.bytes), `${size} bytes`);
    if (size === 0) continue;
    assert.deepEqual((await run(packed, "snappy", size - 1)).result, { fault: "size" });
    const damaged = (await run(packed.subarray(0, -1), "snappy", size)).result;
    assert.deepEqual(damaged, { fault: "format" });
  }
});

test("1 GiB of snappy is refused before any of it is decoded", async () => {
  const before = process.memoryUsage.rss();
  assert.deepEqual((await run(snappyBomb, "snappy", 67_108_864)).result, { fault: "size" });
  assert.ok(process.memoryUsage.rss() - before < 16_777_216);
});

if (zstd !== undefined) {
  const pack = (plain: Uint8Array) => zstd?.zstdCompressSync(plain, {}) ?? Buffer.of();

  test("zstd: what fits comes back, small at once and large later", async () => {
    for (const size of [0, 1, 4_700, SYNC_OUTPUT_BYTES_MAX, SYNC_OUTPUT_BYTES_MAX + 1]) {
      const plain = Buffer.alloc(size, "span");
      const { isSync, result } = await run(pack(plain), "zstd", size);
      assert.ok("bytes" in result && plain.equals(result.bytes), `${size} bytes`);
      assert.equal(isSync, size <= SYNC_OUTPUT_BYTES_MAX);
      const more = await run(pack(Buffer.alloc(size + 1)), "zstd", size);
      assert.deepEqual(more.result, { fault: "size" });
    }
  });

  test("zstd: all frames count, not only the first", async () => {
    const large = Buffer.alloc(SYNC_OUTPUT_BYTES_MAX + 1, "x");
    const frames = Buffer.concat([pack(Buffer.from("ab")), pack(large), pack(Buffer.from("cd"))]);
    const whole = Buffer.concat([Buffer.from("ab"), large, Buffer.from("cd")]);
    const { result } = await run(frames, "zstd", whole.length);
    assert.ok("bytes" in result && whole.equals(result.bytes));
    assert.deepEqual((await run(frames, "zstd", whole.length - 1)).result, { fault: "size" });
    const tail = Buffer.concat([pack(Buffer.from("ab")), Buffer.from("tail")]);
    assert.deepEqual((await run(tail, "zstd", 100)).result, { fault: "format" });
    const empty = pack(Buffer.of());
    const many = (count: number) => Buffer.concat(Array.from({ length: count }, () => empty));
    assert.ok("bytes" in (await run(many(1_000), "zstd", 1)).result);
    assert.deepEqual((await run(many(1_001), "zstd", 1)).result, { fault: "format" });
  });

  test("zstd: damage is no size", async () => {
    const packed = pack(Buffer.alloc(5_000, "abc"));
    for (const damaged of [new Uint8Array(), packed.subarray(0, -1), packed.subarray(1)]) {
      assert.deepEqual((await run(damaged, "zstd", 10_000)).result, { fault: "format" });
    }
  });

  test("1 GiB of zstd costs the limit at most", async () => {
    const bomb = pack(Buffer.alloc(1_073_741_824));
    const before = process.memoryUsage.rss();
    assert.deepEqual((await run(bomb, "zstd", 16_777_216)).result, { fault: "size" });
    assert.ok(process.memoryUsage.rss() - before < 67_108_864);
  });
} else {
  test("without zstd in Node it is no encoding that is offered", () => {
    const headers = {
      ":method": "POST",
      "content-type": "application/grpc",
      "grpc-encoding": "zstd",
    };
    const head = readCallHead(headers, []);
    assert.ok("code" in head && head.code === 12);
    assert.deepEqual(head.headers, { "grpc-accept-encoding": "identity,deflate,gzip,snappy" });
  });
}
