import assert from "node:assert/strict";
import { constants } from "node:http2";
import { describe, type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import {
  Client,
  type ClientOptions,
  compressionAlgorithms,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { GrpcCode, GrpcStatusError, type UnaryHandler } from "@inode-gateway/grpc";
import { otlpDefinitions } from "@inode-gateway/testkit";
import { ECHO, noise, openChannel, SILENT, send, startServer, statusOf } from "./fixture.js";
import type { GrpcImplementation } from "./implementation.js";
import { framed } from "./raw-client.js";
import { type RawAnswer, startRawServer } from "./raw-server.js";

const FAILING = "/conformance.Test/Failing";

type PeerHandler = (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => void;

/** The same calls with somebody else's gRPC on the other side: plain grpc-js, and bare HTTP/2. */
export function peerCases(implementation: GrpcImplementation): void {
  describe(`${implementation.name}: peers`, () => {
    serverPeerCases(implementation);
    channelPeerCases(implementation);
    answerCases(implementation);
  });
}

function serverPeerCases(implementation: GrpcImplementation): void {
  for (const [name, algorithm] of Object.entries(compressionAlgorithms)) {
    if (typeof algorithm !== "number") continue;
    test(`serves a grpc-js client that sends ${name}`, async (t) => {
      const { address } = await startServer(t, implementation);
      const call = peerClient(t, address, { "grpc.default_compression_algorithm": algorithm });
      for (const size of [0, 1, 4_700, 225_658, 3_000_000]) {
        const message = Buffer.from(noise(size));
        assert.ok((await call(ECHO, message)).equals(message));
      }
    });
  }

  test("gives a grpc-js client statuses, details, metadata and deadlines it understands", async (t) => {
    const failing: UnaryHandler = async () => {
      throw new GrpcStatusError({ code: 14, message: "full: 100 % é\n", retryDelayMs: 2_500 });
    };
    const handlers = { [FAILING]: failing };
    const { address, calls } = await startServer(t, implementation, {}, handlers);
    const call = peerClient(t, address);
    const failed = await peerError(call(FAILING, Buffer.of(1)));
    assert.equal(failed.code, 14);
    assert.equal(failed.details, "full: 100 % é\n");
    const [details] = failed.metadata.get("grpc-status-details-bin");
    assert.ok(Buffer.isBuffer(details) && details.includes("google.rpc.RetryInfo"));

    const metadata = new Metadata();
    metadata.add("x-two", "a");
    metadata.add("x-two", "b");
    metadata.add("x-bin", Buffer.of(0, 255));
    await call(ECHO, Buffer.of(1), metadata);
    assert.deepEqual(calls.at(-1)?.metadata.get("x-two"), ["a", "b"]);
    assert.deepEqual(calls.at(-1)?.metadata.get("x-bin"), ["AP8="]);

    const late = await peerError(call(SILENT, Buffer.of(1), new Metadata(), 60));
    assert.equal(late.code, GrpcCode.DEADLINE_EXCEEDED);
    assert.equal((await peerError(call("/a.B/C", Buffer.of(1)))).code, GrpcCode.UNIMPLEMENTED);
  });

  test("keeps its message limit against a grpc-js client", async (t) => {
    const { address } = await startServer(t, implementation, { maxReceiveMessageBytes: 5_000 });
    for (const algorithm of [compressionAlgorithms.identity, compressionAlgorithms.gzip]) {
      const call = peerClient(t, address, { "grpc.default_compression_algorithm": algorithm });
      assert.equal((await call(ECHO, Buffer.alloc(5_000))).length, 5_000);
      const error = await peerError(call(ECHO, Buffer.alloc(5_001)));
      assert.equal(error.code, GrpcCode.RESOURCE_EXHAUSTED);
      assert.equal(error.metadata.get("grpc-status-details-bin").length, 0);
    }
  });
}

function channelPeerCases(implementation: GrpcImplementation): void {
  test("calls a grpc-js server, plain and gzip", async (t) => {
    const address = await startPeerServer(t, (call, done) => done(null, call.request));
    const channel = openChannel(t, implementation, address);
    for (const compression of ["none", "gzip"] as const) {
      for (const size of [0, 1, 4_700, 225_658, 3_000_000]) {
        const message = noise(size);
        const response = await send(channel, ECHO, message, { compression });
        assert.ok(Buffer.from(response).equals(message));
      }
    }
    const unknown = await statusOf(send(channel, "/conformance.Test/None"));
    assert.equal(unknown.code, GrpcCode.UNIMPLEMENTED);
  });

  test("tells a grpc-js server metadata and deadline, and reads its status", async (t) => {
    const seen: { metadata: Metadata; deadline: unknown }[] = [];
    const address = await startPeerServer(t, (call, done) => {
      seen.push({ metadata: call.metadata, deadline: call.getDeadline() });
      done({ code: 9, details: "später" });
    });
    const channel = openChannel(t, implementation, address);
    const metadata = new Map([
      ["x-two", ["a", "b"]],
      ["x-bin", ["AP8"]],
    ]);
    const deadlineMs = performance.now() + 30_000;
    const status = await statusOf(send(channel, ECHO, undefined, { metadata, deadlineMs }));
    assert.deepEqual(status, { code: 9, message: "später" });
    assert.equal(seen[0]?.metadata.get("x-two").join(), "a, b");
    assert.deepEqual(seen[0]?.metadata.get("x-bin"), [Buffer.of(0, 255)]);
    const leftMs = Number(seen[0]?.deadline) - Date.now();
    assert.ok(leftMs > 20_000 && leftMs <= 30_000, `${leftMs} ms left`);
  });
}

interface AnswerCase {
  readonly title: string;
  readonly answer: RawAnswer;
  readonly code: number;
  /** Of the request; default none. */
  readonly compression?: "snappy";
}

const ok = { "grpc-status": 0 };
const body = framed(noise(50));
const details = (bytes: string) => ({ "grpc-status": 14, "grpc-status-details-bin": bytes });

// What gRPC prescribes for what a server should not send (doc/statuscodes.md, http-grpc-status-mapping.md).
const illegalAnswers: readonly AnswerCase[] = [
  { title: "OK without a message", answer: { trailers: ok }, code: 13 },
  {
    title: "two messages",
    answer: { body: Buffer.concat([body, body]), trailers: ok },
    code: 13,
  },
  { title: "a message and no trailers", answer: { body }, code: 13 },
  { title: "a reset", answer: { resetCode: constants.NGHTTP2_INTERNAL_ERROR }, code: 13 },
  { title: "a refusal", answer: { resetCode: constants.NGHTTP2_REFUSED_STREAM }, code: 14 },
  { title: "HTTP 401", answer: { headers: { ":status": 401 } }, code: 16 },
  { title: "HTTP 403", answer: { headers: { ":status": 403 } }, code: 7 },
  { title: "HTTP 404", answer: { headers: { ":status": 404 } }, code: 12 },
  { title: "HTTP 429", answer: { headers: { ":status": 429 } }, code: 14 },
  { title: "HTTP 503", answer: { headers: { ":status": 503 } }, code: 14 },
  {
    title: "HTTP 503 with a page",
    answer: {
      headers: { ":status": 503, "content-type": "text/html" },
      body: Buffer.from("<html><body>no healthy upstream</body></html>"),
    },
    code: 14,
  },
  {
    title: "a compressed message without an encoding",
    answer: { body: framed(gzipSync("x"), 1), trailers: ok },
    code: 13,
  },
  {
    title: "an encoding nobody knows",
    answer: { headers: { "grpc-encoding": "br" }, body: framed(noise(5), 1), trailers: ok },
    code: 13,
  },
  {
    title: "snappy that is none",
    answer: { headers: { "grpc-encoding": "snappy" }, body: framed(noise(5), 1), trailers: ok },
    compression: "snappy",
    code: 13,
  },
  {
    title: "gzip that is none",
    answer: { headers: { "grpc-encoding": "gzip" }, body: framed(noise(5), 1), trailers: ok },
    code: 13,
  },
  { title: "a status outside of gRPC's", answer: { trailers: { "grpc-status": 99 } }, code: 99 },
];

function answerCases(implementation: GrpcImplementation): void {
  for (const { title, answer, code, compression = "none" } of illegalAnswers) {
    test(`ends a call that is answered with ${title} with code ${code}`, async (t) => {
      const { address } = await startRawServer(t, answer);
      const channel = openChannel(t, implementation, address, { compression });
      const status = await statusOf(send(channel, ECHO));
      assert.equal(status.code, code, status.message);
      assert.notEqual(status.message, code === 99 ? "x" : "", "a reason is given");
    });
  }

  if (implementation.capabilities.has("strict-response-flag")) {
    test("refuses a response with a compressed flag of 2", async (t) => {
      const { address } = await startRawServer(t, { body: framed(noise(5), 2), trailers: ok });
      const channel = openChannel(t, implementation, address);
      assert.equal((await statusOf(send(channel, ECHO))).code, GrpcCode.INTERNAL);
    });
  }

  test("reads the delay out of status details and bears details it cannot read", async (t) => {
    const retryInfo = peerRetryInfo({ seconds: 1, nanos: 500_000_000 });
    for (const [bytes, retryDelayMs] of [
      [retryInfo, 1_500],
      [retryInfo.replace(/=+$/, ""), 1_500],
      ["////", undefined],
      ["", undefined],
    ] as const) {
      const { address } = await startRawServer(t, { trailers: details(bytes) });
      const channel = openChannel(t, implementation, address);
      const status = await statusOf(send(channel, ECHO));
      assert.equal(status.code, 14);
      assert.equal(status.retryDelayMs, retryDelayMs, bytes);
    }
  });
}

/** The base64 of a google.rpc.Status with RetryInfo, as protobufjs encodes it. */
function peerRetryInfo(delay: { seconds: number; nanos: number }): string {
  const type = (name: string) => otlpDefinitions().lookupType(`google.rpc.${name}`);
  const value = type("RetryInfo").encode({ retry_delay: delay }).finish();
  const detail = { type_url: "type.googleapis.com/google.rpc.RetryInfo", value };
  const status = type("Status")
    .encode({ code: 14, message: "full", details: [detail] })
    .finish();
  return Buffer.from(status).toString("base64");
}

/** Calls through plain grpc-js with identity serialisers. */
function peerClient(t: TestContext, address: string, options: ClientOptions = {}) {
  const client = new Client(address, credentials.createInsecure(), options);
  t.after(() => client.close());
  const same = (bytes: Buffer): Buffer => bytes;
  return (path: string, message: Buffer, metadata = new Metadata(), timeoutMs = 20_000) =>
    new Promise<Buffer>((resolve, reject) => {
      const deadline = Date.now() + timeoutMs;
      client.makeUnaryRequest(path, same, same, message, metadata, { deadline }, (error, value) => {
        if (error === null && value !== undefined) resolve(value);
        else reject(error);
      });
    });
}

async function peerError(call: Promise<unknown>): Promise<ServiceError> {
  return call.then(
    () => assert.fail("the call succeeded"),
    (error: ServiceError) => error,
  );
}

async function startPeerServer(t: TestContext, handler: PeerHandler): Promise<string> {
  const server = new Server();
  t.after(() => server.forceShutdown());
  const same = (bytes: Buffer): Buffer => bytes;
  server.register(ECHO, handler, same, same, "unary");
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return `127.0.0.1:${port}`;
}
