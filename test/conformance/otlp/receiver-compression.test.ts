import assert from "node:assert/strict";
import { connect } from "node:http2";
import { suite, type TestContext, test } from "node:test";
import * as zlib from "node:zlib";
import { otlpReceiver } from "@inode-gateway/components";
import { encodeSnappyBlock as compressSnappy } from "@inode-gateway/grpc";
import { createTestBatch } from "@inode-gateway/testkit";

import { exportPaths } from "./grpc-client.js";
import { readStatus, send } from "./http-client.js";
import { startReceiver } from "./receiver-fixture.js";

const request = createTestBatch().bytes;
const GIB = 1_073_741_824;
const LIMIT = 16_777_216;
/** What a refused bomb may add to resident memory: the limit, and room for the collector of garbage. */
const MEMORY = 6 * LIMIT;

/** Node's zstd, which its types for version 20 do not know. */
const { zstdCompressSync } = zlib as unknown as {
  readonly zstdCompressSync?: (bytes: Uint8Array) => Buffer;
};

/** How every stream of the framing format begins. */
const snappyIdentifier = Buffer.from("ff060000734e61507059", "hex");
/** "data" in an uncompressed chunk whose checksum is wrong. */
const brokenFrame = Buffer.concat([
  snappyIdentifier,
  Buffer.of(1, 8, 0, 0, 0, 0, 0, 0),
  Buffer.from("data"),
]);

/** One GiB of nothing in the raw snappy format: declares its size, then repeats a zero. */
function snappyBomb(): Buffer {
  const copies = Buffer.alloc(Math.ceil(GIB / 64) * 3, Buffer.of(0xfe, 1, 0));
  return Buffer.concat([Buffer.of(0x80, 0x80, 0x80, 0x80, 4, 0, 0), copies.subarray(0, LIMIT / 2)]);
}

/** One GiB of zeros, 64 MiB at a time: gzip members follow one another. */
function gzipBomb(): Buffer {
  const member = zlib.gzipSync(Buffer.alloc(GIB / 16));
  return Buffer.concat(Array.from({ length: 16 }, () => member));
}

function deflateBomb(): Buffer {
  return zlib.deflateSync(Buffer.alloc(GIB), { level: 1 });
}

const bombs: readonly (readonly [string, () => Buffer])[] = [
  ["gzip", gzipBomb],
  ["zlib", deflateBomb],
  ["deflate", deflateBomb],
  ["snappy", snappyBomb],
  ...(zstdCompressSync === undefined
    ? []
    : [["zstd", () => zstdCompressSync(Buffer.alloc(GIB))] as const]),
];

const headersOf = (coding: string) => ({
  "content-type": "application/x-protobuf",
  "content-encoding": coding,
});

suite("compressed bodies over HTTP", () => {
  for (const [coding, bomb] of bombs) {
    test(`a bomb of 1 GiB in ${coding} is 413, with memory bounded`, async (t) => {
      const receiver = await startReceiver(t, { http: { max_request_body_size: LIMIT } });
      const body = bomb();
      const before = process.memoryUsage.rss();
      const answer = await send(`${receiver.httpUrl}/v1/traces`, body, {
        headers: headersOf(coding),
      });
      assert.equal(answer.status, 413);
      assert.match(readStatus(answer).message, /`max_request_body_size` 16777216 after undoing/);
      const grownBytes = process.memoryUsage.rss() - before - body.byteLength * 2;
      assert.ok(grownBytes < MEMORY, `${grownBytes} bytes more`);
      assert.equal(receiver.count("inode_gateway_receiver_in_flight_bytes"), 0);
    });
  }

  test("snappy is undone, and damage is 400", async (t) => {
    const receiver = await startReceiver(t);
    const url = `${receiver.httpUrl}/v1/traces`;
    const packed = compressSnappy(request);
    assert.equal((await send(url, packed, { headers: headersOf("snappy") })).status, 200);
    assert.deepEqual(receiver.consumer.batches[0]?.bytes, request);
    for (const [coding, body] of [
      ["snappy", packed.subarray(0, -1)],
      ["snappy", Buffer.of()],
      ["x-snappy-framed", packed],
      ["x-snappy-framed", brokenFrame],
    ] as const) {
      const answer = await send(url, body, { headers: headersOf(coding) });
      assert.equal(answer.status, 400);
      assert.ok(readStatus(answer).message.startsWith(`${coding}: `));
    }
    assert.equal(receiver.count("inode_gateway_receiver_in_flight_bytes"), 0);
  });

  test("a snappy body is taken at the limit and refused one byte above it", async (t) => {
    const body = compressSnappy(request);
    for (const [limit, status] of [
      [request.length, 200],
      [request.length - 1, 413],
    ] as const) {
      const { httpUrl } = await startReceiver(t, { http: { max_request_body_size: limit } });
      const answer = await send(`${httpUrl}/v1/traces`, body, { headers: headersOf("snappy") });
      assert.equal(answer.status, status);
    }
  });

  test("an algorithm that is not there is an error of the configuration", () => {
    const problemOf = (name: string) =>
      otlpReceiver.config.safeParse({ protocols: { http: { compression_algorithms: [name] } } })
        .error?.issues[0]?.message;
    assert.match(problemOf("lz4") ?? "", /^"lz4" is not supported, supported are .*gzip/);
    const zstdProblem = problemOf("zstd");
    if (zstdCompressSync !== undefined) assert.equal(zstdProblem, undefined);
    else {
      assert.equal(zstdProblem, `"zstd" needs Node.js 22.15 or later, this is ${process.version}`);
    }
  });

  test("zstd is undone where Node has it, in as many frames as were sent", async (t) => {
    const receiver = await startReceiver(t);
    const url = `${receiver.httpUrl}/v1/traces`;
    const headers = headersOf("zstd");
    if (zstdCompressSync === undefined) {
      assert.equal((await send(url, request, { headers })).status, 400);
      return;
    }
    assert.equal((await send(url, zstdCompressSync(request), { headers })).status, 200);
    const halves = [request.subarray(0, 100), request.subarray(100)].map(zstdCompressSync);
    assert.equal((await send(url, Buffer.concat(halves), { headers })).status, 200);
    for (const batch of receiver.consumer.batches) assert.deepEqual(batch.bytes, request);
    // Above what is undone on the event loop: 4 MiB.
    const { bytes } = createTestBatch({ itemCount: 5_000 });
    const large = Buffer.concat(Array.from({ length: 25 }, () => bytes));
    const last = large.subarray(-1_000);
    const parts = [large.subarray(0, -1_000), last].map(zstdCompressSync);
    assert.equal((await send(url, Buffer.concat(parts), { headers })).status, 200);
    assert.ok(large.equals(receiver.consumer.batches.at(-1)?.bytes ?? Buffer.of()));
    const tail = Buffer.concat([zstdCompressSync(request), Buffer.from("tail")]);
    assert.equal((await send(url, tail, { headers })).status, 400);
    assert.equal((await send(url, zstdCompressSync(request).subarray(1), { headers })).status, 400);
  });
});

suite("compressed messages over gRPC", () => {
  for (const [coding, bomb] of [
    ["gzip", gzipBomb],
    ["deflate", deflateBomb],
    ...(zstdCompressSync === undefined
      ? []
      : [["zstd", () => zstdCompressSync(Buffer.alloc(GIB))] as const]),
  ] as const) {
    test(`a bomb of 1 GiB in ${coding} is RESOURCE_EXHAUSTED, with memory bounded`, async (t) => {
      const receiver = await startReceiver(t, { grpc: { max_recv_msg_size_mib: 16 } });
      const body = bomb();
      const before = process.memoryUsage.rss();
      const status = await callCompressed(t, receiver.grpcAddress, coding, body);
      assert.equal(status.code, 8);
      assert.match(status.message, /more than 16777216 bytes decompressed/);
      const grownBytes = process.memoryUsage.rss() - before - body.byteLength * 2;
      assert.ok(grownBytes < MEMORY, `${grownBytes} bytes more`);
    });
  }

  // Go's gRPC compresses in the framing format; HTTP's "snappy" is the raw one.
  test("snappy is the framing format there", async (t) => {
    const receiver = await startReceiver(t);
    const status = await callCompressed(t, receiver.grpcAddress, "snappy", compressSnappy(request));
    assert.equal(status.code, 13);
    assert.equal(status.message, "the message is not snappy data");
    const whole = goFramed(request);
    assert.equal((await callCompressed(t, receiver.grpcAddress, "snappy", whole)).code, 0);
    assert.deepEqual(receiver.consumer.batches[0]?.bytes, request);
  });

  test("zstd is taken where Node has it, else UNIMPLEMENTED", async (t) => {
    const { consumer, grpcAddress } = await startReceiver(t);
    const packed = zstdCompressSync?.(request) ?? request;
    const { code } = await callCompressed(t, grpcAddress, "zstd", packed);
    assert.equal(code, zstdCompressSync === undefined ? 12 : 0);
    assert.equal(consumer.batches.length, zstdCompressSync === undefined ? 0 : 1);
  });
});

/** One compressed chunk as Go's `snappy.NewBufferedWriter` writes it; the input is below 64 KiB. */
function goFramed(plain: Uint8Array): Buffer {
  const data = compressSnappy(plain);
  const header = Buffer.alloc(8);
  header.writeUIntLE(data.length + 4, 1, 3);
  const sum = castagnoli(plain);
  header.writeUInt32LE((((sum >>> 15) | (sum << 17)) + 0xa282_ead8) >>> 0, 4);
  return Buffer.concat([snappyIdentifier, header, data]);
}

/** CRC-32C bit by bit, without the table of the code under test. */
function castagnoli(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f6_3b78 : 0);
  }
  return ~crc >>> 0;
}

/** One call on HTTP/2 of Node: no client of gRPC compresses with everything. */
async function callCompressed(
  t: TestContext,
  address: string,
  coding: string,
  message: Uint8Array,
) {
  const session = connect(`http://${address}`);
  t.after(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": exportPaths.traces,
    "content-type": "application/grpc",
    te: "trailers",
    "grpc-encoding": coding,
  });
  const head = Buffer.alloc(5);
  head.writeUInt8(1, 0);
  head.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([head, message]));
  stream.resume();
  return new Promise<{ readonly code: number; readonly message: string }>((resolve, reject) => {
    const finish = (headers: Readonly<Record<string, unknown>>) => {
      if (headers["grpc-status"] === undefined) return;
      const message = decodeURIComponent(String(headers["grpc-message"] ?? ""));
      resolve({ code: Number(headers["grpc-status"]), message });
    };
    stream.on("response", finish).on("trailers", finish).on("error", reject);
  });
}
