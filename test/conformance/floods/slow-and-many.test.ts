import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { suite, type TestContext, test } from "node:test";
import { createTestBatch, FakeClock, waitUntil } from "@inode-gateway/testkit";
import { framed, RawClient } from "../grpc/raw-client.js";
import { exportPaths, PlainGrpcClient } from "../otlp/grpc-client.js";
import { RawConnection, requestHead } from "../otlp/raw-socket.js";
import { startReceiver } from "../otlp/receiver-fixture.js";
import { FrameConnection, FrameType, frame } from "./frames.js";

const closed = "inode_gateway_receiver_closed_connections";
const open = "inode_gateway_receiver_connections";
const rejected = "inode_gateway_receiver_rejected_requests";
const request = createTestBatch().bytes;

async function openSocket(t: TestContext, address: string): Promise<Socket> {
  const socket = connect(Number(address.split(":")[1]), "127.0.0.1");
  socket.on("error", () => undefined);
  t.after(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

suite("max_connections", () => {
  for (const transport of ["grpc", "http"] as const) {
    test(`${transport}: the last one is served, one more is closed at once`, async (t) => {
      const limit = { max_connections: 3 };
      const receiver = await startReceiver(t, { grpc: limit, http: limit });
      const { grpcAddress, httpUrl } = receiver;
      const address = transport === "grpc" ? grpcAddress : new URL(httpUrl).host;
      const held = [await openSocket(t, address), await openSocket(t, address)];
      await waitUntil(() => receiver.count(open, { transport }) === 2);
      const last = await openSocket(t, address);
      await waitUntil(() => receiver.count(open, { transport }) === 3);
      const surplus = await openSocket(t, address);
      await once(surplus, "close");
      assert.equal(receiver.count(closed, { transport, reason: "max_connections" }), 1);
      assert.equal(last.destroyed, false);
      for (const socket of [...held, last]) socket.destroy();
      await waitUntil(() => receiver.count(open, { transport }) === 0);
      const again = await openSocket(t, address);
      await waitUntil(() => receiver.count(open, { transport }) === 1);
      assert.equal(again.destroyed, false);
    });
  }

  test("two thousand idle connections leave the others served", async (t) => {
    const receiver = await startReceiver(t);
    const addresses = [receiver.grpcAddress, new URL(receiver.httpUrl).host];
    const before = process.memoryUsage.rss();
    await Promise.all(
      Array.from({ length: 2_000 }, (_, index) => openSocket(t, addresses[index % 2] ?? "")),
    );
    await waitUntil(() => receiver.count(open) === 2_000);
    const client = new PlainGrpcClient(t, receiver.grpcAddress);
    assert.equal((await client.call(exportPaths.traces, request)).code, 0);
    // Both ends are in this process.
    assert.ok(process.memoryUsage.rss() - before < 2_000 * 2 * 65_536);
  });
});

suite("slow senders", () => {
  test("a gRPC message that trickles in ends after read_timeout, its connection goes on", async (t) => {
    const receiver = await startReceiver(t, { grpc: { read_timeout: "300ms" } });
    const raw = new RawClient(t, receiver.grpcAddress);
    const path = exportPaths.traces;
    const began = performance.now();
    const reply = await raw.send({
      path,
      body: [framed(request).subarray(0, 20)],
      isEndless: true,
    });
    assert.equal(reply.grpcStatus, 4);
    assert.match(reply.grpcMessage, /not complete after 300 ms/);
    assert.ok(performance.now() - began >= 300);
    assert.equal(receiver.count(rejected, { transport: "grpc", reason: "timeout" }), 1);
    assert.equal(receiver.count("inode_gateway_receiver_in_flight_bytes"), 0);
    assert.equal((await raw.send({ path, body: [framed(request)] })).grpcStatus, 0);
  });

  test("HTTP/1.1 headers that never end are answered 408 and counted", async (t) => {
    const receiver = await startReceiver(t, { http: { read_header_timeout: "300ms" } });
    const silent = await RawConnection.open(receiver.httpUrl);
    const slow = await RawConnection.open(receiver.httpUrl);
    slow.write("POST /v1/traces HTTP/1.1\r\nHost: a\r\n");
    await slow.receive("HTTP/1.1 408");
    await slow.closed();
    await silent.closed();
    assert.equal(receiver.count(closed, { transport: "http", reason: "header_timeout" }), 2);
  });

  test("HTTP/1.1 bodies that never end are answered 408", async (t) => {
    const receiver = await startReceiver(t, { http: { read_timeout: "300ms" } });
    const slow = await RawConnection.open(receiver.httpUrl);
    t.after(() => slow.destroy());
    slow.write(requestHead("Content-Length: 1000"));
    await slow.receive("HTTP/1.1 408");
    assert.equal(receiver.count(rejected, { transport: "http", reason: "timeout" }), 1);
  });
});

suite("keepalive.enforcement_policy", () => {
  const ping = (connection: FrameConnection) =>
    connection.write(frame(FrameType.PING, 0, 0, Buffer.alloc(8)));

  test("the fourth early ping closes the connection, the third does not", async (t) => {
    const receiver = await startReceiver(t);
    const connection = await FrameConnection.open(receiver.grpcAddress);
    t.after(() => connection.socket.destroy());
    // The first is no early one: there was none before it.
    for (let pings = 1; pings <= 3; pings++) {
      ping(connection);
      await waitUntil(() => connection.counts.get(FrameType.PING) === pings);
    }
    assert.equal(connection.isClosed, false);
    ping(connection);
    await connection.closed();
    assert.equal(connection.goawayCode, 11, "ENHANCE_YOUR_CALM");
    assert.equal(receiver.count(closed, { transport: "grpc", reason: "too_many_pings" }), 1);
  });

  test("pings at min_time are welcome with permit_without_stream", async (t) => {
    const policy = { min_time: "0s", permit_without_stream: true };
    const grpc = { keepalive: { enforcement_policy: policy } };
    const receiver = await startReceiver(t, { grpc });
    const connection = await FrameConnection.open(receiver.grpcAddress);
    t.after(() => connection.socket.destroy());
    for (let pings = 0; pings < 50; pings++) ping(connection);
    await waitUntil(() => connection.counts.get(FrameType.PING) === 50);
    assert.equal(connection.isClosed, false);
  });
});

suite("max_connection_age on HTTP", () => {
  test("an old HTTP/1.1 connection ends with its next answer, and after the grace anyway", async (t) => {
    const clock = new FakeClock();
    const keepalive = {
      server_parameters: { max_connection_age: "10s", max_connection_age_grace: "5s" },
    };
    const receiver = await startReceiver(t, { clock, http: { keepalive } });
    const used = await RawConnection.open(receiver.httpUrl);
    const idle = await RawConnection.open(receiver.httpUrl);
    const head = requestHead("Content-Length: 0");
    used.write(head);
    assert.doesNotMatch(await used.receive("HTTP/1.1 200"), /connection: close/i);
    await waitUntil(() => receiver.count(open, { transport: "http" }) === 2);
    // The age differs by up to 10 % either way.
    await clock.advance(11_001);
    used.write(head);
    await used.receive("connection: close");
    await used.closed();
    assert.equal(idle.isClosed, false, "nothing is sent to who says nothing");
    await clock.advance(5_500);
    await idle.closed();
  });
});
