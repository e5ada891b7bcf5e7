import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { gzipSync } from "node:zlib";
import { compressionAlgorithms } from "@grpc/grpc-js";
import { buildRequest, createTestBatch, waitUntil } from "@inode-gateway/testkit";
import { exportPaths, PlainGrpcClient } from "./grpc-client.js";
import { startReceiver } from "./receiver-fixture.js";

const items = {
  traces: "spans",
  metrics: "metric_points",
  logs: "log_records",
  profiles: "profile_samples",
} as const;

suite("a call that is taken", () => {
  for (const signal of ["traces", "metrics", "logs", "profiles"] as const) {
    test(`${signal} arrive byte by byte, and success is an empty message`, async (t) => {
      const { consumer, count, grpcAddress } = await startReceiver(t);
      const client = new PlainGrpcClient(t, grpcAddress);
      const request = createTestBatch({ signal, itemCount: 7 }).bytes;
      const result = await client.call(exportPaths[signal], request);
      assert.equal(result.code, 0);
      assert.equal(result.response?.byteLength, 0, "partial_success is unset");
      assert.deepEqual(Buffer.from(consumer.batches[0]?.bytes ?? []), Buffer.from(request));
      assert.match(consumer.batches[0]?.origin.peer ?? "", /^127\.0\.0\.1:\d+$/);
      const labels = { receiver: "otlp", transport: "grpc" };
      assert.equal(count(`otelcol_receiver_accepted_${items[signal]}`, labels), 7);
    });
  }

  test("one without items succeeds, reaches no pipeline and is not counted", async (t) => {
    const { consumer, count, grpcAddress } = await startReceiver(t);
    const client = new PlainGrpcClient(t, grpcAddress);
    for (const message of [Buffer.of(), createTestBatch({ itemCount: 0 }).bytes]) {
      assert.equal((await client.call(exportPaths.traces, message)).code, 0);
    }
    assert.equal(consumer.offered.length, 0);
    assert.equal(count("otelcol_receiver_requests"), 0);
  });

  test("gzip is undone", async (t) => {
    const { consumer, grpcAddress } = await startReceiver(t);
    const client = new PlainGrpcClient(t, grpcAddress, {
      "grpc.default_compression_algorithm": compressionAlgorithms.gzip,
    });
    const request = buildRequest("traces", { itemsPerScope: 500 });
    assert.equal((await client.call(exportPaths.traces, request)).code, 0);
    assert.deepEqual(Buffer.from(consumer.batches[0]?.bytes ?? []), Buffer.from(request));
  });

  test("the sender's deadline and, when asked for, its metadata travel with the batch", async (t) => {
    const { consumer, grpcAddress } = await startReceiver(t, { grpc: { include_metadata: true } });
    const client = new PlainGrpcClient(t, grpcAddress);
    const metadata = { "x-tenant": "blue" };
    const options = { deadlineMs: 5_000, metadata };
    await client.call(exportPaths.traces, createTestBatch().bytes, options);
    const origin = consumer.batches[0]?.origin;
    const remainingMs = (origin?.deadlineMs ?? 0) - performance.now();
    assert.ok(remainingMs > 0 && remainingMs <= 5_000, `${remainingMs}`);
    assert.deepEqual(origin?.metadata.get("x-tenant"), ["blue"]);
  });

  test("a unix socket does as well", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "otlp-receiver-"));
    t.after(() => rm(folder, { recursive: true }));
    const endpoint = join(folder, "otlp.sock");
    const { consumer, receiver } = await startReceiver(t, {
      grpc: { endpoint, transport: "unix" },
    });
    assert.equal(receiver.addresses.grpc, `unix:${endpoint}`);
    const client = new PlainGrpcClient(t, `unix:${endpoint}`);
    assert.equal((await client.call(exportPaths.traces, createTestBatch().bytes)).code, 0);
    assert.equal(consumer.itemCount, 1);
    assert.match(consumer.batches[0]?.origin.peer ?? "", /^unix:/);
  });
});

suite("a call that is refused", () => {
  test("a signal without a pipeline and an unknown method are UNIMPLEMENTED", async (t) => {
    const { grpcAddress } = await startReceiver(t, { signals: ["traces"] });
    const client = new PlainGrpcClient(t, grpcAddress);
    assert.equal((await client.call(exportPaths.traces, Buffer.of())).code, 0);
    for (const path of [exportPaths.metrics, exportPaths.logs, exportPaths.profiles, "/a.B/C"]) {
      assert.equal((await client.call(path, Buffer.of())).code, 12);
    }
  });

  test("bytes that are no request are INVALID_ARGUMENT and name their place", async (t) => {
    const { consumer, count, grpcAddress } = await startReceiver(t);
    const client = new PlainGrpcClient(t, grpcAddress);
    const request = createTestBatch().bytes;
    const result = await client.call(exportPaths.traces, request.subarray(0, -1));
    assert.equal(result.code, 3);
    assert.match(result.message, /at byte \d+/);
    assert.equal(consumer.offered.length, 0);
    assert.equal(count("inode_gateway_receiver_rejected_requests", { transport: "grpc" }), 1);
  });

  test("max_recv_msg_size_mib takes that size and refuses one byte more for good", async (t) => {
    const { consumer, grpcAddress } = await startReceiver(t, {
      grpc: { max_recv_msg_size_mib: 1 },
    });
    const client = new PlainGrpcClient(t, grpcAddress);
    const exact = requestOfBytes(1_048_576);
    assert.equal((await client.call(exportPaths.traces, exact)).code, 0);
    assert.equal(consumer.batches[0]?.byteLength, 1_048_576);
    const result = await client.call(exportPaths.traces, requestOfBytes(1_048_577));
    assert.equal(result.code, 8);
    assert.equal(result.retrySeconds, undefined);
    assert.equal(consumer.batches.length, 1);
  });

  test("max_in_flight_bytes sends the next request away for a while", async (t) => {
    const waiting: (() => void)[] = [];
    const { count, grpcAddress } = await startReceiver(t, {
      grpc: { max_recv_msg_size_mib: 1 },
      http: { max_request_body_size: 1 },
      maxInFlightBytes: 1_048_576,
      output: { consume: () => new Promise((resolve) => waiting.push(resolve)) },
    });
    const client = new PlainGrpcClient(t, grpcAddress);
    const running = client.call(exportPaths.traces, requestOfBytes(1_048_576));
    await waitUntil(() => waiting.length === 1);
    const refused = await client.call(exportPaths.traces, requestOfBytes(100));
    assert.equal(refused.code, 14);
    assert.equal(refused.retrySeconds, 1);
    waiting[0]?.();
    assert.equal((await running).code, 0);
    assert.equal(count("inode_gateway_receiver_in_flight_bytes"), 0);
  });

  // Scenario: frames that a gRPC library would not send, on a bare HTTP/2 connection.
  for (const [what, body] of [
    ["without a message", Buffer.of()],
    ["with two messages", Buffer.concat([frame(createTestBatch().bytes), frame(Buffer.of())])],
    [
      "with bytes behind its message",
      Buffer.concat([frame(createTestBatch().bytes), Buffer.of(1)]),
    ],
    ["with half a message", frame(createTestBatch().bytes).subarray(0, 20)],
    ["with an unknown compression", Buffer.concat([Buffer.of(1, 0, 0, 0, 3), Buffer.from("abc")])],
    ["with a broken gzip message", frame(gzipSync(createTestBatch().bytes).subarray(0, -4), 1)],
  ] as const) {
    test(`a call ${what} is answered at once and nothing is forwarded`, async (t) => {
      const { consumer, grpcAddress } = await startReceiver(t);
      const encoding = what.includes("gzip") ? "gzip" : undefined;
      const status = await rawCall(grpcAddress, body, encoding);
      assert.ok([3, 12, 13].includes(Number(status)), `grpc-status ${status}`);
      assert.equal(consumer.offered.length, 0);
    });
  }
});

/** A valid request of exactly `size` bytes: one span whose name fills it up. */
function requestOfBytes(size: number): Buffer {
  const message = (field: number, content: Buffer) => {
    const length: number[] = [];
    let rest = content.length;
    for (; rest > 0x7f; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
    return Buffer.concat([Buffer.of((field << 3) | 2, ...length, rest), content]);
  };
  const build = (name: number) =>
    message(1, message(2, message(2, message(5, Buffer.alloc(name, "x")))));
  let name = size;
  while (build(name).length > size) name--;
  const built = build(name);
  // Where the length of a length changes, an unknown varint field fills the gap.
  const gap = size - built.length;
  if (gap === 0) return built;
  throw new Error(`no request of ${size} bytes, ${gap} short`);
}

function frame(message: Buffer | Uint8Array, flag = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

async function rawCall(address: string, body: Buffer, encoding?: string): Promise<unknown> {
  const session = connect(`http://${address}`);
  try {
    const stream = session.request({
      ":method": "POST",
      ":path": exportPaths.traces,
      "content-type": "application/grpc",
      te: "trailers",
      ...(encoding === undefined ? {} : { "grpc-encoding": encoding }),
    });
    let status: unknown;
    stream.on("response", (headers) => {
      status ??= headers["grpc-status"];
    });
    stream.on("trailers", (headers) => {
      status ??= headers["grpc-status"];
    });
    stream.on("data", () => undefined);
    stream.end(body);
    await waitUntil(() => status !== undefined, { description: "a grpc-status" });
    return status;
  } finally {
    session.destroy();
  }
}
