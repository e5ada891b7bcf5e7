import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { suite, test } from "node:test";
import { OtlpReceiver, otlpReceiver } from "@inode-gateway/components";
import {
  createTestBatch,
  createTestSettings,
  realClock,
  TestHost,
  waitUntil,
} from "@inode-gateway/testkit";
import { exportPaths, PlainGrpcClient } from "./grpc-client.js";
import { send } from "./http-client.js";
import { RawConnection, requestHead } from "./raw-socket.js";
import { startReceiver } from "./receiver-fixture.js";

const request = createTestBatch().bytes;

suite("start", () => {
  for (const protocol of ["grpc", "http"] as const) {
    test(`a ${protocol} port in use is an error that names key, endpoint and way out`, async (t) => {
      const squatter = createServer().listen(0, "127.0.0.1");
      await new Promise((resolve) => squatter.once("listening", resolve));
      t.after(() => squatter.close());
      const endpoint = `127.0.0.1:${(squatter.address() as AddressInfo).port}`;
      await assert.rejects(startReceiver(t, { [protocol]: { endpoint } }), (error: Error) => {
        assert.match(
          error.message,
          new RegExp(
            `^cannot listen on \`protocols::${protocol}::endpoint\` ${endpoint}: another process listens there; stop it`,
          ),
        );
        assert.equal((error as NodeJS.ErrnoException).code, "EADDRINUSE");
        return true;
      });
    });
  }

  test("what one protocol took is given back when the other cannot start", async (t) => {
    const squatter = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => squatter.once("listening", resolve));
    t.after(() => squatter.close());
    const taken = `127.0.0.1:${(squatter.address() as AddressInfo).port}`;
    const config = otlpReceiver.config.parse({
      protocols: { grpc: { endpoint: "127.0.0.1:0" }, http: { endpoint: taken } },
    });
    const settings = createTestSettings({ id: "otlp", kind: "receiver", clock: realClock });
    const receiver = new OtlpReceiver(settings, config, {});
    await assert.rejects(receiver.start(new TestHost()));
    await receiver.shutdown(performance.now() + 1_000);
    const again = createServer();
    const { grpc } = receiver.addresses;
    again.listen(Number(grpc?.split(":")[1]), "127.0.0.1");
    await new Promise((resolve, reject) => again.once("listening", resolve).once("error", reject));
    again.close();
  });
});

suite("shutdown", () => {
  // Scenario: a request runs on each protocol when the shutdown begins; idle connections are open.
  test("lets running requests end, takes nothing new, and is then really over", async (t) => {
    const waiting: (() => void)[] = [];
    const receiver = await startReceiver(t, {
      output: { consume: () => new Promise((resolve) => waiting.push(resolve)) },
    });
    const idle = await RawConnection.open(receiver.httpUrl);
    const client = new PlainGrpcClient(t, receiver.grpcAddress);
    const overHttp = send(`${receiver.httpUrl}/v1/traces`, request);
    const overGrpc = client.call(exportPaths.traces, request);
    await waitUntil(() => waiting.length === 2);
    let isOver = false;
    const stopping = receiver.receiver.shutdown(performance.now() + 5_000).then(() => {
      isOver = true;
    });
    await idle.closed();
    await assert.rejects(send(`${receiver.httpUrl}/v1/traces`, request), /ECONNREFUSED/);
    assert.equal(isOver, false);
    for (const answer of waiting) answer();
    const answer = await overHttp;
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["connection"], "close");
    assert.equal((await overGrpc).code, 0);
    await stopping;
    assert.equal(waiting.length, 2);
  });

  test("a request on a connection that is still open is 503 with Retry-After", async (t) => {
    const waiting: (() => void)[] = [];
    const receiver = await startReceiver(t, {
      output: { consume: () => new Promise((resolve) => waiting.push(resolve)) },
    });
    const connection = await RawConnection.open(receiver.httpUrl);
    connection.write(requestHead(`Content-Length: ${request.byteLength}`));
    connection.write(request);
    await waitUntil(() => waiting.length === 1);
    const stopping = receiver.receiver.shutdown(performance.now() + 5_000);
    connection.write(requestHead("Content-Length: 0"));
    waiting[0]?.();
    const received = await connection.receive("200 OK");
    assert.match(received, /connection: close/i);
    await stopping;
    assert.equal(waiting.length, 1);
  });

  test("is back by its deadline although a pipeline never answers", async (t) => {
    const receiver = await startReceiver(t, {
      output: { consume: () => new Promise(() => undefined) },
    });
    const client = new PlainGrpcClient(t, receiver.grpcAddress);
    const overHttp = send(`${receiver.httpUrl}/v1/traces`, request).catch(() => "cut off");
    const overGrpc = client.call(exportPaths.traces, request);
    await waitUntil(
      () => receiver.count("inode_gateway_receiver_in_flight_bytes") > request.byteLength,
    );
    const startMs = performance.now();
    await receiver.receiver.shutdown(startMs + 200);
    assert.ok(performance.now() - startMs < 1_000);
    assert.equal(await overHttp, "cut off");
    assert.notEqual((await overGrpc).code, 0);
  });

  // Scenario: the body of a request arrives after the shutdown has begun.
  test("a request whose body comes too late reaches no consumer", async (t) => {
    const receiver = await startReceiver(t);
    const connection = await RawConnection.open(receiver.httpUrl);
    connection.write(requestHead(`Content-Length: ${request.byteLength}`));
    connection.write(request.subarray(0, 5));
    await waitUntil(() => receiver.count("inode_gateway_receiver_in_flight_bytes") === 5);
    await receiver.receiver.shutdown(performance.now() + 100);
    connection.write(request.subarray(5));
    await connection.closed();
    assert.equal(receiver.consumer.offered.length, 0);
  });
});
