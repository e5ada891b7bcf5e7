import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { createGzip, gzipSync } from "node:zlib";
import { buildRequest, createTestBatch, FakeClock, waitUntil } from "@inode-gateway/testkit";
import { readStatus, send } from "./http-client.js";
import { RawConnection, requestHead } from "./raw-socket.js";
import { startReceiver } from "./receiver-fixture.js";

const request = buildRequest("traces", { itemsPerScope: 100 });
const gzip = { "content-type": "application/x-protobuf", "content-encoding": "gzip" };
const inFlight = "inode_gateway_receiver_in_flight_bytes";
const rejected = "inode_gateway_receiver_rejected_requests";

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) {
    yield Buffer.from(bytes.subarray(at, at + size));
  }
}

suite("max_request_body_size", () => {
  test("takes a body of exactly that size and answers 413 to one byte more", async (t) => {
    const size = request.byteLength;
    const exact = await startReceiver(t, { http: { max_request_body_size: size } });
    assert.equal((await send(`${exact.httpUrl}/v1/traces`, request)).status, 200);
    const below = await startReceiver(t, { http: { max_request_body_size: size - 1 } });
    const answer = await send(`${below.httpUrl}/v1/traces`, request);
    assert.equal(answer.status, 413);
    assert.deepEqual(readStatus(answer), {
      code: 8,
      message: `body is ${size} bytes, \`max_request_body_size\` ${size - 1}`,
      retrySeconds: undefined,
    });
    assert.equal(answer.headers["retry-after"], undefined);
    assert.equal(below.consumer.offered.length, 0);
    assert.equal(below.count(rejected, { reason: "too_large" }), 1);
  });

  test("holds for a body of undeclared length, and the connection stays usable", async (t) => {
    const size = request.byteLength;
    const receiver = await startReceiver(t, { http: { max_request_body_size: size - 1 } });
    const response = await fetch(`${receiver.httpUrl}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/x-protobuf" },
      body: ReadableStream.from(chunksOf(request, 1000)),
      duplex: "half",
    });
    assert.equal(response.status, 413);
    await response.arrayBuffer();
    const next = await send(`${receiver.httpUrl}/v1/traces`, createTestBatch().bytes);
    assert.equal(next.status, 200);
    assert.equal(receiver.count(inFlight), 0);
  });

  test("holds again after decompression, to the byte", async (t) => {
    const size = request.byteLength;
    const body = gzipSync(request);
    const exact = await startReceiver(t, { http: { max_request_body_size: size } });
    assert.equal((await send(`${exact.httpUrl}/v1/traces`, body, { headers: gzip })).status, 200);
    const below = await startReceiver(t, { http: { max_request_body_size: size - 1 } });
    const answer = await send(`${below.httpUrl}/v1/traces`, body, { headers: gzip });
    assert.equal(answer.status, 413);
    assert.match(readStatus(answer).message, /after undoing gzip$/);
    assert.equal(below.count(inFlight), 0);
  });

  // Scenario: bodies whose compressed form is too long for the event loop and goes to a thread.
  test("holds again after decompression in a thread, to the byte", async (t) => {
    const large = buildRequest("traces", { itemsPerScope: 12_000 });
    const body = gzipSync(large, { level: 1 });
    assert.ok(body.byteLength > 131_072);
    const exact = await startReceiver(t, { http: { max_request_body_size: large.byteLength } });
    assert.equal((await send(`${exact.httpUrl}/v1/traces`, body, { headers: gzip })).status, 200);
    assert.equal(exact.consumer.itemCount, 12_000);
    const below = await startReceiver(t, {
      http: { max_request_body_size: large.byteLength - 1 },
    });
    const answer = await send(`${below.httpUrl}/v1/traces`, body, { headers: gzip });
    assert.equal(answer.status, 413);
    const broken = await send(`${exact.httpUrl}/v1/traces`, body.subarray(0, -100), {
      headers: gzip,
    });
    assert.equal(broken.status, 400);
    assert.equal(exact.count(inFlight) + below.count(inFlight), 0);
  });

  test("a bomb of 1 GiB is refused without ever being 1 GiB", async (t) => {
    const receiver = await startReceiver(t);
    const bomb = await zeros(1_073_741_824);
    const before = process.memoryUsage().rss;
    let peak = 0;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 5);
    const answer = await send(`${receiver.httpUrl}/v1/traces`, bomb, { headers: gzip });
    clearInterval(watch);
    assert.equal(answer.status, 413);
    assert.ok(peak - before < 200 * 1_048_576, `grew by ${(peak - before) / 1_048_576} MiB`);
    assert.equal(receiver.count(inFlight), 0);
  });

  test("is answered from Content-Length before the body is read", async (t) => {
    const receiver = await startReceiver(t, { http: { max_request_body_size: 1000 } });
    const connection = await RawConnection.open(receiver.httpUrl);
    connection.write(requestHead("Content-Length: 1001"));
    assert.match(await connection.receive("1000"), /^HTTP\/1\.1 413 /);
    connection.destroy();
  });

  // Scenario: the first request is not answered yet when the second asks to go on.
  for (const [name, second, expected] of [
    [
      "a good request",
      "Content-Length: 4",
      /^HTTP\/1\.1 200 .*\r\n\r\nHTTP\/1\.1 100 Continue\r\n\r\n$/s,
    ],
    [
      "one that is refused meanwhile",
      "Content-Length: 0\r\nContent-Encoding: gzip",
      /^HTTP\/1\.1 200 .*\r\n\r\nHTTP\/1\.1 400 .*\r\n\r\n[^H]*gzip/s,
    ],
  ] as const) {
    test(`100 Continue keeps its place on a connection: ${name}`, async (t) => {
      let release: () => void = () => undefined;
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      const offered: unknown[] = [];
      const consume = (batch: unknown) => {
        offered.push(batch);
        return released;
      };
      const { httpUrl } = await startReceiver(t, { output: { consume } });
      const connection = await RawConnection.open(httpUrl);
      t.after(() => connection.destroy());
      const { bytes } = createTestBatch();
      connection.write(requestHead(`Content-Length: ${bytes.byteLength}`));
      connection.write(bytes);
      connection.write(requestHead(second, "Expect: 100-continue"));
      await waitUntil(() => offered.length === 1);
      release();
      const end = name === "a good request" ? "100 Continue\r\n\r\n" : "gzip";
      assert.match(await connection.receive(end), expected);
    });
  }

  test("is answered instead of 100 Continue, which a good request gets", async (t) => {
    const receiver = await startReceiver(t, { http: { max_request_body_size: 1000 } });
    const large = await RawConnection.open(receiver.httpUrl);
    large.write(requestHead("Content-Length: 1001", "Expect: 100-continue"));
    assert.match(await large.receive("1000"), /^HTTP\/1\.1 413 /);
    large.destroy();
    const { bytes } = createTestBatch();
    const good = await RawConnection.open(receiver.httpUrl);
    good.write(requestHead(`Content-Length: ${bytes.byteLength}`, "Expect: 100-continue"));
    assert.match(await good.receive("\r\n\r\n"), /^HTTP\/1\.1 100 Continue/);
    good.write(bytes);
    assert.match(await good.receive("200"), /HTTP\/1\.1 200 /);
    good.destroy();
  });

  test("a sender that writes on is listened to for 5 s, then cut off", async (t) => {
    const clock = new FakeClock();
    const receiver = await startReceiver(t, { clock, http: { max_request_body_size: 1000 } });
    const connection = await RawConnection.open(receiver.httpUrl);
    connection.write(requestHead("Content-Length: 1000000"));
    await connection.receive("413");
    connection.write("x".repeat(5000));
    await clock.advanceAndSettle(4_999);
    assert.equal(connection.isClosed, false);
    await clock.advanceAndSettle(1);
    await connection.closed();
  });
});

suite("max_in_flight_bytes", () => {
  // Scenario: the pipeline does not answer, so that every request stays in flight.
  test("takes the last request that fits and sends the next one away for a while", async (t) => {
    const request = buildRequest("traces", { itemsPerScope: 1_200 });
    const size = request.byteLength;
    const waiting: (() => void)[] = [];
    const receiver = await startReceiver(t, {
      maxInFlightBytes: 2 * size,
      grpc: { max_recv_msg_size_mib: 1 },
      http: { max_request_body_size: size },
      output: { consume: () => new Promise((resolve) => waiting.push(resolve)) },
    });
    const url = `${receiver.httpUrl}/v1/traces`;
    const running = [send(url, request), send(url, request)];
    await waitUntil(() => waiting.length === 2);
    assert.equal(receiver.count(inFlight), 2 * size);
    const refused = await send(url, request);
    assert.equal(refused.status, 503);
    assert.equal(refused.headers["retry-after"], "1");
    assert.equal(readStatus(refused).code, 14);
    assert.equal(readStatus(refused).retrySeconds, 1);
    assert.match(readStatus(refused).message, /`max_in_flight_bytes` is \d+$/);
    for (const answer of waiting) answer();
    for (const { status } of await Promise.all(running)) assert.equal(status, 200);
    assert.equal(receiver.count(inFlight), 0);
    assert.equal(receiver.count(rejected, { reason: "in_flight_limit" }), 1);
  });

  test("counts what a body inflates to", async (t) => {
    const size = request.byteLength;
    const receiver = await startReceiver(t, {
      grpc: { max_recv_msg_size_mib: 1 },
      http: { max_request_body_size: 1_048_576 },
      maxInFlightBytes: 1_048_576,
      output: { consume: () => Promise.resolve() },
    });
    const body = gzipSync(Buffer.concat(Array.from({ length: 64 }, () => request)));
    assert.ok(size * 64 > 1_048_576);
    const answer = await send(`${receiver.httpUrl}/v1/traces`, body, { headers: gzip });
    assert.ok(answer.status === 413 || answer.status === 503);
    assert.equal(receiver.count(inFlight), 0);
  });
});

suite("time and loss", () => {
  test("a body that is not there after read_timeout is 408", async (t) => {
    const clock = new FakeClock();
    const receiver = await startReceiver(t, { clock, http: { read_timeout: "10s" } });
    const connection = await RawConnection.open(receiver.httpUrl);
    connection.write(requestHead("Content-Length: 100"));
    connection.write("x");
    await waitUntil(() => receiver.count(inFlight) === 1);
    await clock.advanceAndSettle(9_999);
    assert.equal(connection.received, "");
    await clock.advanceAndSettle(1);
    await connection.receive("408");
    assert.equal(receiver.count(inFlight), 0);
    assert.equal(receiver.count(rejected, { reason: "timeout" }), 1);
    connection.destroy();
  });

  test("headers that are not there after read_header_timeout are 408", async (t) => {
    const receiver = await startReceiver(t, { http: { read_header_timeout: "200ms" } });
    const connection = await RawConnection.open(receiver.httpUrl);
    connection.write("POST /v1/traces HTTP/1.1\r\nHost: te");
    assert.match(await connection.receive("}"), /^HTTP\/1\.1 408 [\s\S]*"code":4/);
    await connection.closed();
  });

  test("a sender that goes away inside its body leaves nothing behind", async (t) => {
    const receiver = await startReceiver(t);
    const connection = await RawConnection.open(receiver.httpUrl);
    connection.write(requestHead("Content-Length: 100"));
    connection.write("x".repeat(50));
    await waitUntil(() => receiver.count(inFlight) === 50);
    connection.reset();
    await waitUntil(() => receiver.count(inFlight) === 0);
    assert.equal(receiver.consumer.offered.length, 0);
    assert.equal(receiver.settings.logger.messages("error").length, 0);
  });

  test("an answer that takes longer than write_timeout closes the connection", async (t) => {
    const clock = new FakeClock();
    const receiver = await startReceiver(t, {
      clock,
      http: { write_timeout: "10s" },
      output: { consume: () => new Promise(() => undefined) },
    });
    const { bytes } = createTestBatch();
    const connection = await RawConnection.open(receiver.httpUrl);
    connection.write(requestHead(`Content-Length: ${bytes.byteLength}`));
    connection.write(bytes);
    await waitUntil(() => receiver.count(inFlight) > 0);
    await clock.advanceAndSettle(10_000);
    await connection.closed();
    assert.equal(connection.received, "");
  });

  test("a connection that waits longer than idle_timeout is closed", async (t) => {
    const receiver = await startReceiver(t, { http: { idle_timeout: "50ms" } });
    const connection = await RawConnection.open(receiver.httpUrl);
    connection.write(requestHead("Content-Length: 0"));
    await connection.receive("200");
    await connection.closed();
  });
});

async function zeros(size: number): Promise<Buffer> {
  const compressor = createGzip({ level: 9, chunkSize: 1_048_576 });
  const block = Buffer.alloc(1_048_576);
  const chunks: Buffer[] = [];
  compressor.on("data", (chunk: Buffer) => chunks.push(chunk));
  for (let written = 0; written < size; written += block.length) {
    if (!compressor.write(block)) {
      await new Promise((resolve) => compressor.once("drain", resolve));
    }
  }
  compressor.end();
  await new Promise((resolve) => compressor.once("end", resolve));
  return Buffer.concat(chunks);
}
