import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import { describe, test } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import { GrpcCode } from "@inode-gateway/grpc";
import { seededRandom } from "@inode-gateway/testkit";
import { ECHO, noise, portOf, startServer } from "./fixture.js";
import type { GrpcImplementation } from "./implementation.js";
import { framed, RawClient, type RawRequest } from "./raw-client.js";

/** Requests of the mutation test: a few hundred keep it within a second or two. */
const MUTATION_COUNT = 400;

interface IllegalCase {
  readonly title: string;
  readonly request: Partial<RawRequest>;
  readonly grpcStatus?: number;
  readonly httpStatus?: number;
  readonly message?: RegExp;
}

const message = noise(300);
const gzipped = gzipSync(message);
const two = Buffer.concat([framed(message), framed(message)]);
const gzip = { "grpc-encoding": "gzip" };
const { INTERNAL, UNIMPLEMENTED } = GrpcCode;

const cases: readonly IllegalCase[] = [
  {
    title: "no message",
    request: { body: [] },
    grpcStatus: INTERNAL,
    message: /without a message/,
  },
  {
    title: "no message in an empty DATA frame",
    request: { body: [new Uint8Array()] },
    grpcStatus: INTERNAL,
  },
  {
    title: "two messages in one DATA frame",
    request: { body: [two] },
    grpcStatus: INTERNAL,
    message: /305 bytes follow/,
  },
  {
    title: "two messages in two DATA frames",
    request: { body: [framed(message), framed(message)] },
    grpcStatus: INTERNAL,
  },
  {
    title: "two empty messages",
    request: { body: [framed(new Uint8Array()), framed(new Uint8Array())] },
    grpcStatus: INTERNAL,
  },
  {
    title: "a byte behind the message",
    request: { body: [Buffer.concat([framed(message), Uint8Array.of(0)])] },
    grpcStatus: INTERNAL,
    message: /1 bytes follow/,
  },
  {
    title: "an end within the frame header",
    request: { body: [framed(message).subarray(0, 4)] },
    grpcStatus: INTERNAL,
    message: /1 bytes before/,
  },
  {
    title: "an end one byte before that of the message",
    request: { body: [framed(message).subarray(0, 304)] },
    grpcStatus: INTERNAL,
    message: /1 bytes before/,
  },
  {
    title: "a compressed flag of 2",
    request: { body: [framed(message, 2)] },
    grpcStatus: INTERNAL,
  },
  {
    title: "a compressed flag of 255",
    request: { body: [framed(message, 255)] },
    grpcStatus: INTERNAL,
  },
  {
    title: "a compressed message without grpc-encoding",
    request: { body: [framed(gzipped, 1)] },
    grpcStatus: INTERNAL,
    message: /grpc-encoding/,
  },
  {
    title: "a compressed message with grpc-encoding identity",
    request: { headers: { "grpc-encoding": "identity" }, body: [framed(gzipped, 1)] },
    grpcStatus: INTERNAL,
  },
  {
    title: "plain bytes that claim to be gzip",
    request: { headers: gzip, body: [framed(message, 1)] },
    grpcStatus: INTERNAL,
    message: /gzip/,
  },
  {
    title: "no bytes that claim to be gzip",
    request: { headers: gzip, body: [framed(new Uint8Array(), 1)] },
    grpcStatus: INTERNAL,
  },
  {
    title: "gzip cut short by a byte",
    request: { headers: gzip, body: [framed(gzipped.subarray(0, -1), 1)] },
    grpcStatus: INTERNAL,
  },
  {
    title: "gzip with a wrong checksum",
    request: {
      headers: gzip,
      body: [
        framed(
          gzipped.map((byte, at) => (at === gzipped.length - 5 ? byte ^ 1 : byte)),
          1,
        ),
      ],
    },
    grpcStatus: INTERNAL,
  },
  {
    title: "an encoding nobody knows",
    request: { headers: { "grpc-encoding": "br" }, body: [framed(message, 1)] },
    grpcStatus: UNIMPLEMENTED,
    message: /"br"/,
  },
  {
    title: "an encoding nobody knows, on a plain message",
    request: { headers: { "grpc-encoding": "lz4" }, body: [framed(message)] },
    grpcStatus: UNIMPLEMENTED,
  },
  { title: "GET", request: { headers: { ":method": "GET" } }, httpStatus: 405 },
  { title: "PUT", request: { headers: { ":method": "PUT" }, body: [two] }, httpStatus: 405 },
  ...[
    undefined,
    "",
    "application/json",
    "application/grpcx",
    "application/grpc-web",
    "text/plain",
  ].map((contentType) => ({
    title: `content-type ${contentType}`,
    request: { headers: { "content-type": contentType }, body: [framed(message)] },
    httpStatus: 415,
  })),
];

/** What no client should send, and what some client will. */
export function illegalRequestCases(implementation: GrpcImplementation): void {
  describe(`${implementation.name}: illegal requests`, () => {
    for (const { title, request, grpcStatus, httpStatus = 200, message: text = /./ } of cases) {
      test(`answers ${title} and goes on`, async (t) => {
        const { address, calls, bugs } = await startServer(t, implementation);
        const raw = new RawClient(t, address);
        const reply = await raw.send({ path: ECHO, ...request });
        assert.equal(reply.httpStatus, httpStatus);
        assert.equal(reply.grpcStatus, grpcStatus);
        if (grpcStatus !== undefined) assert.match(reply.grpcMessage, text);
        if (grpcStatus === UNIMPLEMENTED) {
          assert.match(String(reply.headers["grpc-accept-encoding"]), /\bidentity\b.*\bgzip\b/);
        }
        if (httpStatus === 405) assert.equal(reply.headers["allow"], "POST");
        assert.equal(calls.length, 0, "nothing reaches the handler");
        const next = await raw.send({ path: ECHO, body: [framed(message)] });
        assert.equal(next.grpcStatus, GrpcCode.OK, "the same connection serves a legal call");
        assert.ok(next.body.equals(framed(message)));
        assert.deepEqual(bugs, []);
      });
    }

    test("takes what looks odd and is legal", async (t) => {
      const { address } = await startServer(t, implementation);
      const raw = new RawClient(t, address);
      const legal: readonly Partial<RawRequest>[] = [
        { headers: { "content-type": "application/grpc+proto" } },
        { headers: { "content-type": "application/grpc;charset=utf-8" } },
        { headers: { "content-type": "Application/GRPC" } },
        { headers: { te: undefined } },
        { headers: { "grpc-encoding": "identity" } },
        { headers: gzip },
        { headers: gzip, body: [framed(gzipped, 1)] },
        { headers: gzip, body: [framed(Buffer.concat([gzipSync("a"), gzipSync("b")]), 1)] },
        { headers: { "grpc-encoding": "deflate" }, body: [framed(deflateSync(message), 1)] },
        { headers: { "grpc-accept-encoding": "br", "grpc-unknown": "x", "x-empty": "" } },
        { body: [new Uint8Array(), framed(message).subarray(0, 3), framed(message).subarray(3)] },
      ];
      for (const request of legal) {
        const reply = await raw.send({ path: ECHO, body: [framed(message)], ...request });
        assert.equal(reply.grpcStatus, GrpcCode.OK, JSON.stringify(request.headers));
        assert.equal(reply.headers["content-type"]?.startsWith("application/grpc"), true);
      }
    });

    // Guarantees: whatever the bytes are, a legal answer, and a legal call works on the same connection.
    test("answers mutated requests, seed 1", async (t) => {
      const { address, bugs } = await startServer(t, implementation);
      const raw = new RawClient(t, address);
      const random = seededRandom(1);
      for (let index = 0; index < MUTATION_COUNT; index++) {
        const reply = await raw.send({ path: ECHO, ...mutated(random) });
        const isLegal = reply.httpStatus === 200 ? Number.isInteger(reply.grpcStatus) : false;
        assert.ok(isLegal, `request ${index}: ${reply.httpStatus}, reset ${reply.resetCode}`);
      }
      const next = await raw.send({ path: ECHO, body: [framed(message)] });
      assert.equal(next.grpcStatus, GrpcCode.OK);
      assert.deepEqual(bugs, []);
    });

    test("closes a connection that does not speak HTTP/2 and serves the others", async (t) => {
      const { address, connectionErrors } = await startServer(t, implementation);
      const raw = new RawClient(t, address);
      const openings = [
        "GET / HTTP/1.1\r\nhost: x\r\n\r\n",
        "\x16\x03\x01\x02\x00garbage",
        "\0".repeat(99),
      ];
      for (const opening of openings) {
        await new Promise<void>((resolve) => {
          const socket = connectTcp(portOf(address), "127.0.0.1", () => socket.write(opening));
          socket.on("error", () => undefined);
          socket.resume();
          socket.on("close", () => resolve());
        });
      }
      assert.ok(connectionErrors.length >= openings.length, `${connectionErrors.length} reported`);
      assert.match(connectionErrors[0]?.peer ?? "", /^127\.0\.0\.1:\d+$/);
      const next = await raw.send({ path: ECHO, body: [framed(message)] });
      assert.equal(next.grpcStatus, GrpcCode.OK);
    });
  });
}

function mutated(random: () => number): Partial<RawRequest> {
  const isGzip = random() < 0.5;
  const bytes = isGzip ? framed(gzipped, 1) : framed(message);
  const changes = 1 + Math.floor(random() * 3);
  let body: Buffer = Buffer.from(bytes);
  for (let change = 0; change < changes; change++) {
    const at = Math.floor(random() ** 2 * body.length);
    const kind = random();
    if (kind < 0.5) body[at] = Math.floor(random() * 256);
    else if (kind < 0.75) body = body.subarray(0, at);
    else body = Buffer.concat([body.subarray(0, at), noise(20, at), body.subarray(at)]);
  }
  const cut = Math.floor(random() * body.length);
  return { headers: isGzip ? gzip : {}, body: [body.subarray(0, cut), body.subarray(cut)] };
}
