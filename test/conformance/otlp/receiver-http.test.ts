import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import type { Signal } from "@inode-gateway/contract";
import { protobufToJson } from "@inode-gateway/otlp";
import { buildRequest, createTestBatch, waitUntil } from "@inode-gateway/testkit";
import { Agent } from "undici";
import { readStatus, send } from "./http-client.js";
import { RawConnection } from "./raw-socket.js";
import { startReceiver } from "./receiver-fixture.js";

const json = { "content-type": "application/json" };
const protobuf = { "content-type": "application/x-protobuf" };
const paths: Readonly<Record<Signal, string>> = {
  traces: "/v1/traces",
  metrics: "/v1/metrics",
  logs: "/v1/logs",
  profiles: "/v1development/profiles",
};
const items: Readonly<Record<Signal, string>> = {
  traces: "spans",
  metrics: "metric_points",
  logs: "log_records",
  profiles: "profile_samples",
};

suite("a request that is taken", () => {
  // Scenario: the socket of a process that was killed is in the way.
  test("comes over a unix socket as well", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "otlp-receiver-"));
    t.after(() => rm(folder, { recursive: true }));
    const endpoint = join(folder, "otlp.sock");
    const killed = spawn(process.execPath, [
      "-e",
      "net.createServer().listen(process.argv[1])",
      endpoint,
    ]);
    await waitUntil(() => existsSync(endpoint));
    killed.kill("SIGKILL");
    await once(killed, "exit");
    const http = { endpoint, transport: "unix", include_metadata: true };
    const { consumer, receiver } = await startReceiver(t, { http });
    assert.equal(receiver.addresses.http, `unix:${endpoint}`);
    const dispatcher = new Agent({ connect: { socketPath: endpoint } });
    t.after(() => dispatcher.close());
    const answer = await send("http://localhost/v1/traces", createTestBatch().bytes, {
      dispatcher,
    });
    assert.equal(answer.status, 200);
    assert.equal(consumer.itemCount, 1);
    assert.equal(consumer.batches[0]?.origin.peer, `unix:${endpoint}`);
    assert.deepEqual(consumer.batches[0]?.origin.metadata.get("host"), ["localhost"]);
  });

  for (const signal of ["traces", "metrics", "logs", "profiles"] as const) {
    const request = createTestBatch({ signal, itemCount: 7 }).bytes;

    test(`${signal} as protobuf arrive byte by byte, and success has no body`, async (t) => {
      const { consumer, count, httpUrl } = await startReceiver(t);
      const answer = await send(httpUrl + paths[signal], request);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers["content-type"], "application/x-protobuf");
      assert.equal(answer.body.byteLength, 0, "partial_success is unset");
      assert.deepEqual(Buffer.from(consumer.batches[0]?.bytes ?? []), Buffer.from(request));
      assert.equal(consumer.batches[0]?.signal, signal);
      assert.match(consumer.batches[0]?.origin.peer ?? "", /^127\.0\.0\.1:\d+$/);
      const labels = { receiver: "otlp", transport: "http" };
      assert.equal(count(`otelcol_receiver_accepted_${items[signal]}`, labels), 7);
      assert.equal(count(`otelcol_receiver_refused_${items[signal]}`, labels), 0);
      assert.equal(count("otelcol_receiver_requests", { ...labels, outcome: "success" }), 1);
    });

    test(`${signal} as JSON arrive as protobuf, and success is {}`, async (t) => {
      const { consumer, httpUrl } = await startReceiver(t);
      const body = protobufToJson(signal, request);
      const answer = await send(httpUrl + paths[signal], body, { headers: json });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers["content-type"], "application/json");
      assert.equal(answer.body.toString(), "{}");
      assert.equal(consumer.itemCount, 7);
      assert.deepEqual(protobufToJson(signal, consumer.batches[0]?.bytes ?? Buffer.of()), body);
    });
  }

  test("one without items succeeds, reaches no pipeline and is not counted", async (t) => {
    const { consumer, count, httpUrl } = await startReceiver(t);
    const empty = createTestBatch({ itemCount: 0 }).bytes;
    for (const body of [Buffer.of(), empty]) {
      assert.equal((await send(`${httpUrl}/v1/traces`, body)).status, 200);
    }
    const answer = await send(`${httpUrl}/v1/traces`, '{"key":"value"}', { headers: json });
    assert.equal(answer.status, 200);
    assert.equal(answer.body.toString(), "{}");
    assert.equal(consumer.offered.length, 0);
    assert.equal(count("otelcol_receiver_requests"), 0);
    assert.equal(count("otelcol_receiver_accepted_spans"), 0);
  });

  for (const contentType of [
    "application/json; charset=utf-8",
    "Application/JSON",
    "application/json;charset=UTF-8",
    " application/json ",
    "APPLICATION/X-PROTOBUF",
    "application/x-protobuf; messageType=x",
  ]) {
    test(`Content-Type "${contentType}" is understood`, async (t) => {
      const { consumer, httpUrl } = await startReceiver(t);
      const request = createTestBatch().bytes;
      const body = /json/i.test(contentType) ? protobufToJson("traces", request) : request;
      const headers = { "content-type": contentType };
      assert.equal((await send(`${httpUrl}/v1/traces`, body, { headers })).status, 200);
      assert.equal(consumer.itemCount, 1);
    });
  }

  for (const [encoding, encode] of [
    ["identity", (plain: Uint8Array) => plain],
    ["", (plain: Uint8Array) => plain],
    ["gzip", gzipSync],
    ["GZIP", gzipSync],
    ["zlib", deflateSync],
    ["deflate", deflateSync],
  ] as const) {
    test(`Content-Encoding "${encoding}" is undone`, async (t) => {
      const { consumer, httpUrl } = await startReceiver(t);
      const request = buildRequest("traces", { itemsPerScope: 500 });
      const headers = { ...protobuf, "content-encoding": encoding };
      const answer = await send(`${httpUrl}/v1/traces`, encode(request), { headers });
      assert.equal(answer.status, 200);
      assert.deepEqual(Buffer.from(consumer.batches[0]?.bytes ?? []), Buffer.from(request));
    });
  }

  test("request headers travel with the batch only when asked for", async (t) => {
    const headers = { ...protobuf, "X-Tenant": "blue" };
    const without = await startReceiver(t);
    await send(`${without.httpUrl}/v1/traces`, createTestBatch().bytes, { headers });
    assert.equal(without.consumer.batches[0]?.origin.metadata.size, 0);
    const with_ = await startReceiver(t, { http: { include_metadata: true } });
    await send(`${with_.httpUrl}/v1/traces`, createTestBatch().bytes, { headers });
    assert.deepEqual(with_.consumer.batches[0]?.origin.metadata.get("x-tenant"), ["blue"]);
  });
});

suite("every 4xx carries a Status in the request's own encoding, JSON where that is unknown", () => {
  for (const method of ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"]) {
    test(`${method} on a signal's path is 405 with Allow`, async (t) => {
      const { httpUrl } = await startReceiver(t);
      const answer = await send(`${httpUrl}/v1/traces`, undefined, { method, headers: {} });
      assert.equal(answer.status, 405);
      assert.equal(answer.headers["allow"], "POST");
      assert.equal(answer.headers["content-type"], "application/json");
      assert.match(readStatus(answer).message, new RegExp(`^method ${method} is not allowed`));
    });
  }

  test("405 and 404 speak protobuf to whoever does", async (t) => {
    const { httpUrl } = await startReceiver(t);
    const wrongMethod = await send(`${httpUrl}/v1/traces`, undefined, {
      method: "PUT",
      headers: protobuf,
    });
    assert.equal(wrongMethod.headers["content-type"], "application/x-protobuf");
    assert.equal(readStatus(wrongMethod).code, 12);
    const wrongPath = await send(`${httpUrl}/v1/trace`, Buffer.of(), { headers: protobuf });
    assert.equal(wrongPath.status, 404);
    assert.equal(wrongPath.headers["content-type"], "application/x-protobuf");
    assert.equal(
      readStatus(wrongPath).message,
      "no pipeline takes requests on /v1/trace; this receiver has /v1/traces, /v1/metrics, /v1/logs, /v1development/profiles",
    );
  });

  test("a signal without a pipeline is 404", async (t) => {
    const { httpUrl } = await startReceiver(t, { signals: ["traces"] });
    assert.equal((await send(`${httpUrl}/v1/traces`, Buffer.of())).status, 200);
    for (const path of ["/v1/metrics", "/v1/logs", "/v1development/profiles"]) {
      assert.equal((await send(httpUrl + path, Buffer.of())).status, 404);
    }
  });

  for (const contentType of ["text/plain", "application/grpc", "nonsense", "application/json/x"]) {
    test(`Content-Type "${contentType}" is 415`, async (t) => {
      const { count, httpUrl } = await startReceiver(t);
      const headers = { "content-type": contentType };
      const answer = await send(`${httpUrl}/v1/traces`, "x", { headers });
      assert.equal(answer.status, 415);
      assert.equal(answer.headers["content-type"], "application/json");
      assert.equal(readStatus(answer).code, 3);
      assert.equal(count("inode_gateway_receiver_rejected_requests", { reason: "unsupported" }), 1);
    });
  }

  test("no Content-Type is 415, with and without a body", async (t) => {
    const { httpUrl } = await startReceiver(t);
    for (const body of ["x", undefined]) {
      const answer = await send(`${httpUrl}/v1/traces`, body, { headers: {} });
      assert.equal(answer.status, 415);
      assert.match(readStatus(answer).message, /^no Content-Type is not supported/);
    }
  });

  test("an unknown Content-Encoding is 400, also beside an unknown Content-Type", async (t) => {
    const { httpUrl } = await startReceiver(t);
    for (const contentType of ["application/x-protobuf", "application/json", "text/plain"]) {
      const headers = { "content-type": contentType, "content-encoding": "br" };
      const answer = await send(`${httpUrl}/v1/traces`, "x", { headers });
      assert.equal(answer.status, 400);
      assert.deepEqual(readStatus(answer).message, "unsupported Content-Encoding: br");
    }
  });

  test("a coding that is not among `compression_algorithms` is 400", async (t) => {
    const { httpUrl } = await startReceiver(t, { http: { compression_algorithms: ["gzip"] } });
    const request = createTestBatch().bytes;
    const gzip = { ...protobuf, "content-encoding": "gzip" };
    assert.equal(
      (await send(`${httpUrl}/v1/traces`, gzipSync(request), { headers: gzip })).status,
      200,
    );
    const zlib = { ...protobuf, "content-encoding": "zlib" };
    assert.equal(
      (await send(`${httpUrl}/v1/traces`, deflateSync(request), { headers: zlib })).status,
      400,
    );
    assert.equal((await send(`${httpUrl}/v1/traces`, request)).status, 400);
  });

  test("bytes that are no gzip are 400", async (t) => {
    const { count, httpUrl } = await startReceiver(t);
    const whole = gzipSync(createTestBatch().bytes);
    for (const body of [Buffer.from("plain"), whole.subarray(0, whole.length - 1), Buffer.of()]) {
      const headers = { ...protobuf, "content-encoding": "gzip" };
      const answer = await send(`${httpUrl}/v1/traces`, body, { headers });
      assert.equal(answer.status, 400);
      assert.equal(readStatus(answer).code, 3);
      assert.match(readStatus(answer).message, /^gzip: /);
    }
    assert.equal(count("inode_gateway_receiver_rejected_requests", { reason: "malformed" }), 3);
  });

  test("bytes that are no request are 400 and name their place", async (t) => {
    const { consumer, count, httpUrl } = await startReceiver(t);
    const request = createTestBatch().bytes;
    const cut = await send(`${httpUrl}/v1/traces`, request.subarray(0, request.length - 1));
    assert.equal(cut.status, 400);
    assert.equal(cut.headers["content-type"], "application/x-protobuf");
    assert.equal(readStatus(cut).code, 3);
    assert.match(readStatus(cut).message, /at byte \d+/);
    assert.equal(consumer.offered.length, 0);
    assert.equal(count("otelcol_receiver_refused_spans"), 0);
    assert.equal(count("inode_gateway_receiver_rejected_requests", { reason: "malformed" }), 1);
  });

  test("text that is no UTF-8 where the field is a string is refused, not forwarded", async (t) => {
    const { consumer, httpUrl } = await startReceiver(t);
    const request = Buffer.from(createTestBatch().bytes);
    request[request.indexOf("service.name")] = 0xff;
    const answer = await send(`${httpUrl}/v1/traces`, request);
    assert.equal(answer.status, 400);
    assert.match(readStatus(answer).message, /UTF-8.*resource_spans\[0\]\.resource/);
    assert.equal(consumer.offered.length, 0);
  });

  for (const [what, body] of [
    ["no JSON", "hello"],
    ["trailing text", '{"resourceSpans":[]} x'],
    ["a second document", "{}{}"],
    ["a list", "[]"],
    ["nothing", ""],
    ["bytes that are not UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    [
      "a trace ID of the wrong length",
      '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"abc"}]}]}]}',
    ],
  ] as const) {
    test(`JSON that is ${what} is 400 with a Status in JSON`, async (t) => {
      const { consumer, httpUrl } = await startReceiver(t);
      const answer = await send(`${httpUrl}/v1/traces`, body, { headers: json });
      assert.equal(answer.status, 400);
      assert.equal(answer.headers["content-type"], "application/json");
      assert.equal(readStatus(answer).code, 3);
      assert.equal(consumer.offered.length, 0);
    });
  }

  test("null scalars and base64url without padding are JSON that protobuf allows", async (t) => {
    const { consumer, httpUrl } = await startReceiver(t);
    const span = { name: null, attributes: [{ key: "k", value: { bytesValue: "_-8" } }] };
    const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
    assert.equal((await send(`${httpUrl}/v1/traces`, body, { headers: json })).status, 200);
    assert.equal(consumer.itemCount, 1);
  });

  test("a broken URL is 400, a broken request line too", async (t) => {
    const { httpUrl } = await startReceiver(t);
    const badUrl = await RawConnection.open(httpUrl);
    badUrl.write("GET /%zz HTTP/1.1\r\nHost: test\r\n\r\n");
    assert.match(
      await badUrl.receive("}"),
      /^HTTP\/1\.1 400 [\s\S]*application\/json[\s\S]*"code"/,
    );
    badUrl.destroy();
    const badLine = await RawConnection.open(httpUrl);
    badLine.write("hello\r\n\r\n");
    assert.match(
      await badLine.receive("}"),
      /^HTTP\/1\.1 400 [\s\S]*application\/json[\s\S]*"code":3/,
    );
    await badLine.closed();
  });

  test("headers above 32 KiB are 431", async (t) => {
    const { httpUrl } = await startReceiver(t);
    const connection = await RawConnection.open(httpUrl);
    connection.write(`GET / HTTP/1.1\r\nHost: test\r\nX: ${"x".repeat(32_000)}\r\n\r\n`);
    assert.match(await connection.receive("}"), /^HTTP\/1\.1 404 /);
    connection.write(`GET / HTTP/1.1\r\nHost: test\r\nX: ${"x".repeat(33_000)}\r\n\r\n`);
    assert.match(await connection.receive("HTTP/1.1 431"), /404[\s\S]*HTTP\/1\.1 431 /);
    await connection.closed();
    assert.match(connection.received, /HTTP\/1\.1 431 [\s\S]*"code"/);
  });
});

suite("settings", () => {
  test("response_headers are on every answer", async (t) => {
    const { httpUrl } = await startReceiver(t, { http: { response_headers: { "X-A": "b" } } });
    for (const path of ["/v1/traces", "/nowhere"]) {
      assert.equal((await send(httpUrl + path, Buffer.of())).headers["x-a"], "b");
    }
  });

  test("a path without its leading slash gets one", async (t) => {
    const { consumer, httpUrl } = await startReceiver(t, { http: { traces_url_path: "in/t" } });
    assert.equal((await send(`${httpUrl}/in/t`, createTestBatch().bytes)).status, 200);
    assert.equal((await send(`${httpUrl}/v1/traces`, createTestBatch().bytes)).status, 404);
    assert.equal(consumer.itemCount, 1);
  });

  test("a query after the path does not matter", async (t) => {
    const { httpUrl } = await startReceiver(t);
    assert.equal((await send(`${httpUrl}/v1/traces?a=b`, Buffer.of())).status, 200);
    const wrong = await send(`${httpUrl}/v1/traces?a=b`, undefined, { method: "GET", headers: {} });
    assert.equal(wrong.status, 405);
  });

  test("keep_alives_enabled: false closes the connection behind each answer", async (t) => {
    const on = await startReceiver(t);
    const off = await startReceiver(t, { http: { keep_alives_enabled: false } });
    const kept = await send(`${on.httpUrl}/v1/traces`, Buffer.of());
    assert.equal(kept.headers["connection"], "keep-alive");
    const closed = await send(`${off.httpUrl}/v1/traces`, Buffer.of());
    assert.equal(closed.headers["connection"], "close");
  });
});
