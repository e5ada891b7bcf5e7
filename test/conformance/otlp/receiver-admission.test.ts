import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { AuthenticationError, type RequestHeaders } from "@inode-gateway/components";
import { type Extension, RetryableError } from "@inode-gateway/contract";
import { createTestBatch, waitUntil } from "@inode-gateway/testkit";
import { framed, RawClient } from "../grpc/raw-client.js";
import { exportPaths, PlainGrpcClient } from "./grpc-client.js";
import { readStatus, send } from "./http-client.js";
import { RawConnection, requestHead } from "./raw-socket.js";
import { startReceiver } from "./receiver-fixture.js";

const request = createTestBatch().bytes;
const rejected = "inode_gateway_receiver_rejected_requests";
const inFlight = "inode_gateway_receiver_in_flight_bytes";
const json = { "content-type": "application/json" };

/** Closed until `isOpen`. */
class TestGate implements Extension {
  isOpen = false;

  start(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }

  requestRefusal(): RetryableError | undefined {
    if (this.isOpen) return undefined;
    return new RetryableError("MEMORY_LIMITED", "no memory now", { retryAfterMs: 2_500 });
  }
}

/** Lets in who sends `x-token: right`, after a moment. */
class TestAuthenticator implements Extension {
  readonly seen: RequestHeaders[] = [];

  start(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }

  async authenticate(headers: RequestHeaders): Promise<ReadonlyMap<string, string>> {
    this.seen.push(headers);
    const [token] = headers.get("x-token") ?? [];
    await new Promise((resolve) => setImmediate(resolve));
    if (token === "busy") {
      throw new RetryableError("QUEUE_FULL", "too much is checked", { retryAfterMs: 2_000 });
    }
    if (token === "broken") throw new TypeError("a bug in the extension");
    if (token !== "right") throw new AuthenticationError("the token is not known");
    return new Map([["subject", "tester"]]);
  }
}

suite("middlewares and pipelines that refuse", () => {
  test("a closed middleware answers at once, on both protocols, and says when to come back", async (t) => {
    const gate = new TestGate();
    const section = { middlewares: [{ id: "gate" }] };
    const receiver = await startReceiver(t, {
      grpc: section,
      http: section,
      extensions: { gate },
    });
    const client = new PlainGrpcClient(t, receiver.grpcAddress);
    const overGrpc = await client.call(exportPaths.traces, request);
    assert.deepEqual(
      [overGrpc.code, overGrpc.message, overGrpc.retrySeconds],
      [14, "no memory now", 2.5],
    );
    const overHttp = await send(`${receiver.httpUrl}/v1/traces`, "{}", { headers: json });
    assert.equal(overHttp.status, 503);
    assert.equal(overHttp.headers["retry-after"], "3");
    assert.equal(readStatus(overHttp).code, 14);
    for (const transport of ["grpc", "http"]) {
      assert.equal(receiver.count(rejected, { transport, reason: "middleware" }), 1);
    }
    gate.isOpen = true;
    assert.equal((await client.call(exportPaths.traces, request)).code, 0);
    assert.equal(receiver.consumer.batches.length, 1);
  });

  test("a pipeline that is full is asked before anything is read", async (t) => {
    const full = new RetryableError("QUEUE_FULL", "sending queue is full", { retryAfterMs: 1_000 });
    const output = { consume: () => assert.fail("must not be called"), refusal: () => full };
    const receiver = await startReceiver(t, { output });
    // Scenario: the head alone is sent; what has not come cannot have been read.
    const connection = await RawConnection.open(receiver.httpUrl);
    t.after(() => connection.destroy());
    connection.write(requestHead("Content-Length: 1000000"));
    assert.match(await connection.receive("HTTP/1.1 503"), /retry-after: 1/i);
    const raw = new RawClient(t, receiver.grpcAddress);
    const reply = await raw.send({ path: exportPaths.logs, body: [], isEndless: true });
    assert.deepEqual([reply.grpcStatus, reply.grpcMessage], [14, "sending queue is full"]);
    assert.ok(reply.headers["grpc-status-details-bin"], "RetryInfo");
    assert.equal(receiver.count(rejected, { reason: "pipeline" }), 2);
  });

  // Scenario: a thousand refusals in a row, twice what HTTP/2 takes of resets at once.
  test("refusals do not cost a client its connection", async (t) => {
    const gate = new TestGate();
    const receiver = await startReceiver(t, {
      grpc: { middlewares: [{ id: "gate" }] },
      extensions: { gate },
    });
    const client = new PlainGrpcClient(t, receiver.grpcAddress);
    const message = createTestBatch().bytes;
    for (let round = 0; round < 15; round++) {
      const calls = Array.from({ length: 100 }, () => client.call(exportPaths.traces, message));
      for (const { code, retrySeconds } of await Promise.all(calls)) {
        assert.deepEqual([code, retrySeconds], [14, 2.5]);
      }
    }
    assert.equal(receiver.count("inode_gateway_receiver_closed_connections"), 0);
    gate.isOpen = true;
    assert.equal((await client.call(exportPaths.traces, message)).code, 0);
    assert.equal(receiver.count("inode_gateway_receiver_connections", { transport: "grpc" }), 1);
  });

  test("an extension that does not run, or is no middleware, is an error at the start", async (t) => {
    const http = { middlewares: [{ id: "gate" }] };
    await assert.rejects(startReceiver(t, { http }), /`middlewares` names the extension "gate"/);
    const extensions = { gate: new TestAuthenticator() };
    await assert.rejects(startReceiver(t, { http, extensions }), /is no middleware/);
  });
});

suite("max_in_flight_bytes on gRPC", () => {
  test("is taken by the length of a message, before its bytes, and given back", async (t) => {
    const receiver = await startReceiver(t, {
      grpc: { max_recv_msg_size_mib: 1 },
      http: { max_request_body_size: 1_048_576 },
      maxInFlightBytes: 1_048_576,
    });
    const raw = new RawClient(t, receiver.grpcAddress);
    const path = exportPaths.traces;
    const first = raw.send({ path, body: [framed(Buffer.of(), 0, 1_000_000)], isEndless: true });
    await waitUntil(() => receiver.count(inFlight) === 1_000_000);
    const last = await raw.send({ path, body: [framed(Buffer.alloc(48_576))] });
    assert.equal(last.grpcStatus, 3, "fits, and is no telemetry");
    const second = await raw.send({ path, body: [framed(Buffer.of(), 0, 48_577)] });
    assert.equal(second.grpcStatus, 14);
    assert.match(second.grpcMessage, /48577 bytes .* 1000000 .*max_in_flight_bytes.* 1048576/);
    assert.equal(receiver.count(rejected, { transport: "grpc", reason: "in_flight_limit" }), 1);
    raw.session.destroy();
    await first;
    await waitUntil(() => receiver.count(inFlight) === 0, { description: "all is given back" });
  });
});

suite("auth", () => {
  test("lets in who the authenticator knows and tells the pipeline who it is", async (t) => {
    const who = new TestAuthenticator();
    const section = { auth: { authenticator: "who" } };
    const receiver = await startReceiver(t, {
      grpc: section,
      http: { auth: { authenticator: "who", request_params: ["X-Token"] } },
      extensions: { who },
    });
    const client = new PlainGrpcClient(t, receiver.grpcAddress);
    const metadata = { "x-token": "right" };
    assert.equal((await client.call(exportPaths.traces, request, { metadata })).code, 0);
    const url = `${receiver.httpUrl}/v1/traces`;
    const headers = { "content-type": "application/x-protobuf", "x-token": "right" };
    assert.equal((await send(url, request, { headers })).status, 200);
    assert.equal((await send(`${url}?X-Token=right`, request)).status, 200, "request_params");
    const senders = receiver.consumer.batches.map(({ origin }) => origin.auth?.get("subject"));
    assert.deepEqual(senders, ["tester", "tester", "tester"]);
  });

  test("answers 401 and UNAUTHENTICATED before the body to everybody else", async (t) => {
    const who = new TestAuthenticator();
    const section = { auth: { authenticator: "who" } };
    const receiver = await startReceiver(t, { grpc: section, http: section, extensions: { who } });
    for (const headers of [json, { "content-type": "application/x-protobuf" }]) {
      const answer = await send(`${receiver.httpUrl}/v1/traces`, "{}", { headers });
      assert.equal(answer.status, 401);
      assert.equal(answer.headers["content-type"], headers["content-type"]);
      assert.deepEqual(readStatus(answer), {
        code: 16,
        message: "the token is not known",
        retrySeconds: undefined,
      });
    }
    const connection = await RawConnection.open(receiver.httpUrl);
    t.after(() => connection.destroy());
    connection.write(requestHead("Content-Length: 1000000", "Expect: 100-continue"));
    assert.match(await connection.receive("HTTP/1.1 401"), /^HTTP\/1\.1 401/, "no 100 Continue");
    const raw = new RawClient(t, receiver.grpcAddress);
    for (const body of [[], [framed(request)]]) {
      const reply = await raw.send({ path: exportPaths.traces, body, isEndless: true });
      assert.deepEqual([reply.grpcStatus, reply.grpcMessage], [16, "the token is not known"]);
    }
    assert.equal(receiver.count(rejected, { transport: "http", reason: "unauthenticated" }), 3);
    assert.equal(receiver.count(rejected, { transport: "grpc", reason: "unauthenticated" }), 2);
    assert.equal(receiver.count(inFlight), 0);
    assert.equal(receiver.consumer.offered.length, 0);
  });

  test("an authenticator that cannot tell now has the sender come back", async (t) => {
    const section = { auth: { authenticator: "who" } };
    const receiver = await startReceiver(t, {
      grpc: section,
      http: section,
      extensions: { who: new TestAuthenticator() },
    });
    const headers = { ...json, "x-token": "busy" };
    const answer = await send(`${receiver.httpUrl}/v1/traces`, "{}", { headers });
    assert.equal(answer.status, 503);
    assert.equal(answer.headers["retry-after"], "2");
    const client = new PlainGrpcClient(t, receiver.grpcAddress);
    const metadata = { "x-token": "busy" };
    const call = await client.call(exportPaths.traces, request, { metadata });
    assert.deepEqual([call.code, call.retrySeconds], [14, 2]);
    assert.equal(receiver.consumer.offered.length, 0);
  });

  test("a bug of the authenticator lets nobody in and shows nothing of itself", async (t) => {
    const section = { auth: { authenticator: "who" } };
    const receiver = await startReceiver(t, {
      grpc: section,
      http: section,
      extensions: { who: new TestAuthenticator() },
    });
    const headers = { ...json, "x-token": "broken" };
    const answer = await send(`${receiver.httpUrl}/v1/traces`, "{}", { headers });
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.body.toString(), /a bug in the extension/);
    const client = new PlainGrpcClient(t, receiver.grpcAddress);
    const metadata = { "x-token": "broken" };
    assert.equal((await client.call(exportPaths.traces, request, { metadata })).code, 13);
    assert.equal(receiver.consumer.offered.length, 0);
  });
});
