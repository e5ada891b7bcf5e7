import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import { type Decompressed, decompress, SYNC_OUTPUT_BYTES_MAX } from "./decompress.js";

interface Outcome {
  readonly result: Decompressed;
  readonly isSync: boolean;
}

function run(
  message: Uint8Array,
  encoding: "deflate" | "gzip",
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
