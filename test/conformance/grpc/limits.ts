import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import {
  encodeSnappyFrames,
  GrpcCode,
  HEADER_LIST_BYTES_MAX,
  zstd,
  zstdCompressOptions,
} from "@inode-gateway/grpc";
import { ECHO, noise, openChannel, send, startServer, statusOf } from "./fixture.js";
import type { GrpcImplementation } from "./implementation.js";
import { framed, RawClient } from "./raw-client.js";
import { startRawServer } from "./raw-server.js";

const MIB = 1_048_576;

/** The last accepted and the first rejected of everything that has a size. */
export function limitCases(implementation: GrpcImplementation): void {
  describe(`${implementation.name}: limits`, () => {
    requestCases(implementation);
    bombCases(implementation);
    responseCases(implementation);
    headerCases(implementation);
  });
}

function requestCases(implementation: GrpcImplementation): void {
  for (const limit of [0, 1, 1_000, 65_536, MIB, 3 * MIB]) {
    for (const kind of ["plain", "gzip of noise", "gzip of zeros"] as const) {
      test(`takes a ${kind} message of ${limit} bytes at that limit, and not one more`, async (t) => {
        const { address, calls } = await startServer(t, implementation, {
          maxReceiveMessageBytes: limit,
        });
        const channel = openChannel(t, implementation, address);
        const compression = kind === "plain" ? "none" : "gzip";
        const message = kind === "gzip of zeros" ? new Uint8Array(limit + 1) : noise(limit + 1);
        const last = message.subarray(0, limit);
        assert.equal((await send(channel, ECHO, last, { compression })).length, limit);
        calls.pop();
        const status = await statusOf(send(channel, ECHO, message, { compression }));
        assert.equal(status.code, GrpcCode.RESOURCE_EXHAUSTED);
        assert.equal(status.retryDelayMs, undefined, "OTLP: not retryable");
        assert.match(status.message, new RegExp(`\\b${limit}\\b`), "names the limit");
        if (kind === "plain") assert.match(status.message, new RegExp(`\\b${limit + 1}\\b`));
        assert.equal(calls.length, 0, "the handler is not called");
      });
    }
  }
}

function bombCases(implementation: GrpcImplementation): void {
  // Scenario: 1 MiB of gzip that unfolds to 1 GiB (gzip members may follow one another, RFC 1952).
  test("stops unfolding a bomb at the limit", async (t) => {
    const limit = 4 * MIB;
    const { address } = await startServer(t, implementation, { maxReceiveMessageBytes: limit });
    const raw = new RawClient(t, address);
    const member = gzipSync(Buffer.alloc(16 * MIB));
    const bomb = Buffer.concat(Array.from({ length: 64 }, () => member));
    const path = ECHO;
    const headers = { "grpc-encoding": "gzip" };
    const body = [framed(bomb, 1)];
    const before = process.memoryUsage();
    const replies = await Promise.all([1, 2, 3, 4].map(() => raw.send({ path, headers, body })));
    const after = process.memoryUsage();
    for (const reply of replies) {
      assert.equal(reply.grpcStatus, GrpcCode.RESOURCE_EXHAUSTED);
      assert.match(reply.grpcMessage, new RegExp(`\\b${limit}\\b`));
    }
    const grownMib =
      (after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed) / MIB;
    assert.ok(grownMib < 128, `${grownMib.toFixed(0)} MiB for four bombs of 1 GiB`);
  });

  test("refuses a message by its length, before its bytes", async (t) => {
    const { address } = await startServer(t, implementation, { maxReceiveMessageBytes: 100 });
    const raw = new RawClient(t, address);
    const body = [framed(new Uint8Array(), 0, 0xffff_ffff)];
    const reply = await raw.send({ path: ECHO, body, isEndless: true });
    assert.equal(reply.grpcStatus, GrpcCode.RESOURCE_EXHAUSTED);
    assert.match(reply.grpcMessage, /\b4294967295\b/);
  });

  test("lets go of a request that is refused while it is being sent", async (t) => {
    const { address, calls } = await startServer(t, implementation, {
      maxReceiveMessageBytes: 100,
    });
    const raw = new RawClient(t, address);
    const endless = Array.from({ length: 64 }, () => new Uint8Array(MIB));
    const body = [framed(new Uint8Array(), 0, 64 * MIB), ...endless];
    const reply = await raw.send({ path: ECHO, body, isEndless: true });
    assert.equal(reply.grpcStatus, GrpcCode.RESOURCE_EXHAUSTED);
    const next = await raw.send({ path: ECHO, body: [framed(noise(100))] });
    assert.equal(next.grpcStatus, GrpcCode.OK, "the connection goes on");
    assert.equal(calls.length, 1);
  });
}

function packZstd(plain: Buffer): Buffer {
  return zstd?.zstdCompressSync(plain, zstdCompressOptions()) ?? assert.fail("no zstd");
}

function responseCases(implementation: GrpcImplementation): void {
  for (const [encoding, pack] of [
    ["identity", undefined],
    ["gzip", gzipSync],
    ["snappy", encodeSnappyFrames],
    ...(zstd === undefined ? [] : [["zstd", packZstd] as const]),
  ] as const) {
    test(`takes a response of exactly the limit, and not one byte more: ${encoding}`, async (t) => {
      const limit = 10_000;
      for (const [size, isTaken] of [
        [limit, true],
        [limit + 1, false],
        [100 * MIB, false],
      ] as const) {
        if (encoding === "identity" && size > MIB) continue;
        const plain = Buffer.alloc(size);
        const body = pack === undefined ? framed(plain) : framed(pack(plain), 1);
        const headers = { "grpc-encoding": encoding };
        const { address } = await startRawServer(t, {
          headers,
          body,
          trailers: { "grpc-status": 0 },
        });
        // Servers of Go answer in the encoding they were asked in.
        const compression = encoding === "identity" ? "none" : encoding;
        const channel = openChannel(t, implementation, address, {
          maxReceiveMessageBytes: limit,
          compression,
        });
        if (isTaken) assert.equal((await send(channel, ECHO)).length, size);
        else {
          const status = await statusOf(send(channel, ECHO));
          assert.equal(status.code, GrpcCode.RESOURCE_EXHAUSTED);
          assert.match(status.message, new RegExp(`\\b${limit}\\b`));
        }
      }
    });
  }

  test("takes 4 MiB of response unless told otherwise", async (t) => {
    const { address } = await startServer(t, implementation, { maxReceiveMessageBytes: 8 * MIB });
    const channel = openChannel(t, implementation, address);
    assert.equal((await send(channel, ECHO, new Uint8Array(4 * MIB))).length, 4 * MIB);
    const status = await statusOf(send(channel, ECHO, new Uint8Array(4 * MIB + 1)));
    assert.equal(status.code, GrpcCode.RESOURCE_EXHAUSTED);
  });
}

function headerCases(implementation: GrpcImplementation): void {
  test("takes a header list of exactly the limit, and not one byte more", async (t) => {
    const { address, calls } = await startServer(t, implementation);
    const raw = new RawClient(t, address);
    const fixed: readonly [string, string][] = [
      [":method", "POST"],
      [":scheme", "http"],
      [":authority", address],
      [":path", ECHO],
      ["content-type", "application/grpc"],
      ["te", "trailers"],
      ["x-long", ""],
    ];
    const others = fixed.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
    const room = HEADER_LIST_BYTES_MAX - others;
    const body = [framed(noise(3))];
    const accepted = await raw.send({ path: ECHO, headers: { "x-long": "x".repeat(room) }, body });
    assert.equal(accepted.grpcStatus, GrpcCode.OK);
    assert.equal(calls[0]?.metadata.get("x-long")?.[0]?.length, room);
    const tooLong = { "x-long": "x".repeat(room + 1) };
    const rejected = await raw.send({ path: ECHO, headers: tooLong, body });
    assert.equal(rejected.grpcStatus, GrpcCode.RESOURCE_EXHAUSTED);
    assert.match(rejected.grpcMessage, new RegExp(`${HEADER_LIST_BYTES_MAX + 1} bytes`));
    assert.equal(calls.length, 1);
  });

  test("survives header lists far above the limit", async (t) => {
    const { address } = await startServer(t, implementation);
    for (const size of [70_000, 200_000]) {
      const raw = new RawClient(t, address);
      const headers = { "x-long": "x".repeat(size) };
      const reply = await raw.send({ path: ECHO, headers, body: [framed(noise(3))] });
      assert.notEqual(reply.grpcStatus, GrpcCode.OK);
      if (implementation.capabilities.has("status-for-any-header-list")) {
        assert.equal(reply.grpcStatus, GrpcCode.RESOURCE_EXHAUSTED);
        const next = await raw.send({ path: ECHO, body: [framed(noise(3))] });
        assert.equal(next.grpcStatus, GrpcCode.OK, "on the same connection");
      }
      const other = new RawClient(t, address);
      const next = await other.send({ path: ECHO, body: [framed(noise(3))] });
      assert.equal(next.grpcStatus, GrpcCode.OK);
    }
  });
}
