import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { suite, type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { createTestBatch, FakeClock, settle, waitUntil } from "@inode-gateway/testkit";
import { exportPaths } from "../otlp/grpc-client.js";
import { requestHead as http1Head, RawConnection } from "../otlp/raw-socket.js";
import { type RunningReceiver, startReceiver } from "../otlp/receiver-fixture.js";
import { TlsFiles } from "../otlp/tls-files.js";
import { Flag, FrameConnection, FrameType, frame, requestHead } from "./frames.js";

const closed = "inode_gateway_receiver_closed_connections";
const open = "inode_gateway_receiver_connections";
const requests = "otelcol_receiver_requests";
const { bytes } = createTestBatch();
/** How often connections are looked at. */
const LOOK_MS = 500;

/** A receiver whose connections are looked at when the test moves time on. */
interface Timed {
  readonly receiver: RunningReceiver;
  readonly transport: "grpc" | "http";
  /** Moves time on; every `LOOK_MS` the connections are looked at. */
  readonly pass: (ms: number) => Promise<void>;
  readonly connect: () => Promise<FrameConnection>;
  /** Headers and body of one export on stream 1. */
  readonly request: Buffer;
}

async function grpc(t: TestContext): Promise<Timed> {
  const receiver = await startReceiver(t);
  // The gRPC server has the process's own clock, and looks at its connections in real time.
  const realNow = performance.now.bind(performance);
  let aheadMs = 0;
  let looks = 0;
  t.mock.method(performance, "now", () => realNow() + aheadMs);
  t.after(() => clearInterval(counting));
  const counting = setInterval(() => looks++, LOOK_MS);
  const message = Buffer.concat([Buffer.alloc(5), bytes]);
  message.writeUInt32BE(bytes.length, 1);
  return {
    receiver,
    transport: "grpc",
    pass: async (ms) => {
      aheadMs += ms;
      const until = looks + 2;
      await waitUntil(() => looks >= until);
    },
    connect: () => FrameConnection.open(receiver.grpcAddress),
    request: exportFrames(exportPaths.traces, "application/grpc", message),
  };
}

async function https(t: TestContext, http: object = {}): Promise<Timed & { clock: FakeClock }> {
  const files = await TlsFiles.create(t);
  const authority = await files.authority("ca");
  const pair = await authority.issue("server", "DNS:localhost,IP:127.0.0.1");
  const tls = await files.putPair("server", pair);
  const clock = new FakeClock();
  const receiver = await startReceiver(t, { clock, http: { ...http, tls } });
  const ca = Buffer.from(authority.cert);
  return {
    receiver,
    clock,
    transport: "http",
    pass: async (ms) => {
      // What came in before has to be read first: time stands still meanwhile.
      for (let turn = 0; turn < 20; turn++) await settle();
      await clock.advanceAndSettle(ms + LOOK_MS);
    },
    connect: () => FrameConnection.open(new URL(receiver.httpUrl).host, { ca }),
    request: exportFrames("/v1/traces", "application/x-protobuf", bytes),
  };
}

function exportFrames(path: string, contentType: string, body: Uint8Array): Buffer {
  return Buffer.concat([
    frame(FrameType.HEADERS, Flag.END_HEADERS, 1, requestHead(path, contentType)),
    frame(FrameType.DATA, Flag.END_STREAM, 1, body),
  ]);
}

/** SETTINGS that let the server send no byte of a body. */
function zeroWindow(): Buffer {
  return frame(FrameType.SETTINGS, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0]));
}

for (const [name, start] of [
  ["gRPC", grpc],
  ["HTTP/2 over TLS", https],
] as const) {
  suite(`${name}: a peer that does not respond`, () => {
    test("gives its answers no window: it is let go after 30 s", async (t) => {
      const { connect: openFrames, pass, receiver, request, transport } = await start(t);
      const connection = await openFrames();
      t.after(() => connection.socket.destroy());
      connection.write(zeroWindow());
      connection.write(request);
      await waitUntil(() => receiver.count(requests, { transport }) === 1);
      await waitUntil(() => connection.counts.has(FrameType.HEADERS));
      await pass(25_000);
      assert.equal(connection.isClosed, false);
      await pass(5_001);
      await connection.closed();
      assert.equal(receiver.count(closed, { transport, reason: "answer_not_read" }), 1);
      assert.equal(connection.goawayCode, 11, "ENHANCE_YOUR_CALM");
      assert.equal(connection.counts.has(FrameType.DATA), false);
    });

    test("makes overhead and never answers a ping: it is let go after 10 s", async (t) => {
      const { connect: openFrames, pass, receiver, transport } = await start(t);
      const connection = await openFrames();
      t.after(() => connection.socket.destroy());
      await waitUntil(() => connection.counts.has(FrameType.SETTINGS));
      const update = frame(FrameType.WINDOW_UPDATE, 0, 0, Buffer.from([0, 0, 0, 1]));
      connection.write(Buffer.concat(Array.from({ length: 1_000 }, () => update)));
      await waitUntil(() => connection.socket.writableLength === 0);
      await pass(0);
      await waitUntil(() => connection.counts.has(FrameType.PING), { description: "a ping" });
      await pass(8_000);
      assert.equal(connection.isClosed, false);
      await pass(2_001);
      await connection.closed();
      assert.equal(receiver.count(closed, { transport, reason: "not_responding" }), 1);
    });
  });
}

suite("no_preface", () => {
  test("HTTP over TLS: 20 s without the beginning of HTTP/2, no longer", async (t) => {
    const { clock, pass, receiver } = await https(t);
    const { port } = new URL(receiver.httpUrl);
    const silent = connectTls({
      host: "127.0.0.1",
      port: Number(port),
      ALPNProtocols: ["h2"],
      rejectUnauthorized: false,
    });
    silent.on("error", () => undefined);
    t.after(() => silent.destroy());
    await once(silent, "secureConnect");
    await pass(0);
    await clock.advanceAndSettle(19_000);
    assert.equal(receiver.count(closed, { reason: "no_preface" }), 0);
    await clock.advanceAndSettle(1_000 + LOOK_MS);
    assert.equal(receiver.count(closed, { transport: "http", reason: "no_preface" }), 1);
    await waitUntil(() => receiver.count(open, { transport: "http" }) === 0);
  });

  test("gRPC: 20 s without the beginning of HTTP/2, no longer", async (t) => {
    const receiver = await startReceiver(t);
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const silent = connect(Number(receiver.grpcAddress.split(":")[1]), "127.0.0.1");
    silent.on("error", () => undefined);
    t.after(() => silent.destroy());
    await once(silent, "connect");
    for (let turn = 0; turn < 10_000 && receiver.count(open) === 0; turn++) await settle();
    assert.equal(receiver.count(open, { transport: "grpc" }), 1);
    t.mock.timers.tick(19_999);
    assert.equal(receiver.count(closed), 0);
    t.mock.timers.tick(1);
    assert.equal(receiver.count(closed, { transport: "grpc", reason: "no_preface" }), 1);
    t.mock.timers.reset();
    await waitUntil(() => receiver.count(open, { transport: "grpc" }) === 0);
  });
});

suite("max_connection_age on HTTP/2", () => {
  const keepalive = {
    server_parameters: { max_connection_age: "10s", max_connection_age_grace: "5s" },
  };

  test("an idle connection is told to go elsewhere, then closed", async (t) => {
    const { clock, connect: openFrames, pass } = await https(t, { keepalive });
    const connection = await openFrames();
    t.after(() => connection.socket.destroy());
    await waitUntil(() => connection.counts.has(FrameType.SETTINGS));
    await pass(0);
    // The age differs by up to 10 % either way.
    await clock.advanceAndSettle(8_000);
    assert.equal(connection.counts.has(FrameType.GOAWAY), false);
    await clock.advanceAndSettle(3_001);
    await waitUntil(() => connection.goawayCode === 0, { description: "GOAWAY, NO_ERROR" });
    await clock.advanceAndSettle(LOOK_MS);
    await connection.closed();
  });

  test("a running request is answered, and one that never ends is cut off after the grace", async (t) => {
    for (const isAnswered of [true, false]) {
      let answer = () => {};
      const files = await https(t, { keepalive });
      files.receiver.consumer.respond = () =>
        new Promise<void>((resolve) => {
          answer = resolve;
        });
      const connection = await files.connect();
      t.after(() => connection.socket.destroy());
      connection.write(files.request);
      await waitUntil(() => files.receiver.count("inode_gateway_receiver_in_flight_bytes") > 0);
      await files.pass(11_001);
      await waitUntil(() => connection.goawayCode === 0, { description: "GOAWAY, NO_ERROR" });
      await files.pass(3_000);
      assert.equal(connection.isClosed, false, "waits for what runs");
      if (isAnswered) answer();
      else await files.pass(2_500);
      await connection.closed();
      assert.equal(connection.counts.has(FrameType.HEADERS), isAnswered);
      answer();
    }
  });
});

suite("a sender on HTTP/1.1", () => {
  // Scenario: answers larger than all buffers of the kernel, so that bytes wait in the receiver.
  test("that does not read its answer is let go after 30 s without progress", async (t) => {
    const clock = new FakeClock();
    const large = { "x-large": "x".repeat(16_777_216) };
    const receiver = await startReceiver(t, { clock, http: { response_headers: large } });
    const { port } = new URL(receiver.httpUrl);
    const sender = connect(Number(port), "127.0.0.1");
    sender.on("error", () => undefined);
    t.after(() => sender.destroy());
    await once(sender, "connect");
    sender.write(http1Head("Content-Length: 0"));
    await waitUntil(() => sender.bytesRead > 0, { description: "the answer has begun" });
    clock.advance(LOOK_MS);
    clock.advance(30_000);
    assert.equal(receiver.count(closed), 0);
    clock.advance(LOOK_MS);
    assert.equal(receiver.count(closed, { transport: "http", reason: "answer_not_read" }), 1);
    await waitUntil(() => receiver.count(open, { transport: "http" }) === 0);
  });

  test("that takes its answers may wait with the next request as long as it likes", async (t) => {
    const clock = new FakeClock();
    const receiver = await startReceiver(t, { clock });
    const sender = await RawConnection.open(receiver.httpUrl);
    t.after(() => sender.destroy());
    sender.write(http1Head("Content-Length: 0"));
    await sender.receive("HTTP/1.1 200");
    clock.advance(600_000);
    await settle();
    assert.equal(sender.isClosed, false);
    assert.equal(receiver.count(closed), 0);
  });

  test("that neither closes nor reads after a broken request is cut off after 5 s", async (t) => {
    const clock = new FakeClock();
    const receiver = await startReceiver(t, { clock });
    const { port } = new URL(receiver.httpUrl);
    const sender = connect({ port: Number(port), host: "127.0.0.1", allowHalfOpen: true });
    sender.on("error", () => undefined);
    t.after(() => sender.destroy());
    sender.write("no HTTP at all\r\n\r\n");
    await once(sender, "readable");
    clock.advance(4_999);
    await settle();
    assert.equal(receiver.count(open, { transport: "http" }), 1);
    clock.advance(1);
    await waitUntil(() => receiver.count(open, { transport: "http" }) === 0);
  });
});

/** GOAWAY as grpc-go sends it when it goes: it names a stream of its own, which is not legal. */
const goodbye = frame(FrameType.GOAWAY, 0, 0, Buffer.from([0, 0, 0, 1, 0, 0, 0, 0]));

// Scenario: what grpc-go does when it is told to go elsewhere.
test("a peer that answers GOAWAY with GOAWAY ends its connection, and nobody is blamed", async (t) => {
  let answer = () => {};
  const { connect: openFrames, receiver, request } = await grpc(t);
  receiver.consumer.respond = () =>
    new Promise<void>((resolve) => {
      answer = resolve;
    });
  const connection = await openFrames();
  t.after(() => connection.socket.destroy());
  connection.write(request);
  await waitUntil(() => receiver.consumer.offered.length === 1);
  const stopped = receiver.receiver.shutdown(performance.now() + 5_000);
  await waitUntil(() => connection.goawayCode === 0, { description: "GOAWAY, NO_ERROR" });
  connection.write(goodbye);
  await connection.closed();
  answer();
  await stopped;
  assert.equal(receiver.count(closed), 0);
  assert.deepEqual(receiver.settings.logger.messages("warn"), []);
});
