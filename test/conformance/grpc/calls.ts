import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  GrpcCode,
  GrpcStatusError,
  STATUS_MESSAGE_BYTES_MAX,
  type UnaryHandler,
} from "@inode-gateway/grpc";
import { ECHO, noise, openChannel, send, soon, startServer, statusOf } from "./fixture.js";
import type { GrpcImplementation } from "./implementation.js";
import { framed, RawClient } from "./raw-client.js";

const FAILING = "/conformance.Test/Failing";

/** What one call carries there and back. */
export function callCases(implementation: GrpcImplementation): void {
  describe(`${implementation.name}: calls`, () => {
    for (const compression of ["none", "gzip"] as const) {
      // Guarantees: sizes around the frame, the default window and the raised one, empty included.
      test(`carries messages of every size unchanged, compression ${compression}`, async (t) => {
        const { address } = await startServer(t, implementation);
        const limits = { maxReceiveMessageBytes: 8_388_608 };
        const channel = openChannel(t, implementation, address, limits);
        for (const size of [0, 1, 4, 5, 16_379, 16_380, 65_530, 65_531, 225_658, 5_000_000]) {
          const message = noise(size, size);
          const response = await send(channel, ECHO, message, { compression });
          assert.ok(Buffer.from(response).equals(message), `${size} bytes come back unchanged`);
        }
      });
    }

    test("joins the chunks of a message in their order", async (t) => {
      const { address } = await startServer(t, implementation);
      const channel = openChannel(t, implementation, address, { compression: "gzip" });
      const chunks = ["one", "", "two", "three"].map((text) => Buffer.from(text));
      const response = await channel.call(ECHO, chunks, { deadlineMs: soon() });
      assert.equal(Buffer.from(response).toString(), "onetwothree");
      assert.equal((await channel.call(ECHO, [], { deadlineMs: soon() })).length, 0);
    });

    test("keeps 300 calls at the same time apart", async (t) => {
      const { address } = await startServer(t, implementation);
      const channel = openChannel(t, implementation, address);
      const messages = Array.from({ length: 300 }, (_, index) => noise(index * 40, index));
      const responses = await Promise.all(messages.map((bytes) => send(channel, ECHO, bytes)));
      for (const [index, response] of responses.entries()) {
        assert.ok(Buffer.from(response).equals(messages[index] ?? Buffer.alloc(0)));
      }
    });

    test("sends metadata and hands it on in lower case, values apart, bytes as base64", async (t) => {
      const { address, calls } = await startServer(t, implementation);
      const channel = openChannel(t, implementation, address, { userAgent: "gateway/1" });
      const metadata = new Map([
        ["X-Tenant", ["a, b"]],
        ["x-list", ["1", "2"]],
        ["trace-bin", ["AAECAw==", "/+8"]],
      ]);
      await send(channel, ECHO, undefined, { metadata });

      const seen = new Map(calls[0]?.metadata);
      const userAgent = seen.get("user-agent")?.[0] ?? "";
      seen.delete("user-agent");
      assert.match(userAgent, /^gateway\/1(?: |$)/);
      assert.deepEqual(
        [...seen].map(([name, values]) => [name, values.map((value) => value.replace(/=+$/, ""))]),
        [
          ["x-tenant", ["a, b"]],
          ["x-list", ["1", "2"]],
          ["trace-bin", ["AAECAw", "/+8"]],
        ],
      );
    });

    if (implementation.capabilities.has("exact-user-agent")) {
      test("sends the configured user agent and nothing else", async (t) => {
        const { address, calls } = await startServer(t, implementation);
        const channel = openChannel(t, implementation, address, { userAgent: "gateway/1" });
        await send(channel, ECHO);
        assert.deepEqual(calls[0]?.metadata.get("user-agent"), ["gateway/1"]);
      });
    }

    test("refuses metadata that cannot be sent and keeps the connection", async (t) => {
      const { address, calls } = await startServer(t, implementation);
      const channel = openChannel(t, implementation, address);
      await send(channel, ECHO);
      const bad: [string, string[]][] = [
        ["white space", ["a"]],
        [":path", ["/x"]],
        ["", ["a"]],
        ["connection", ["close"]],
        ["content-length", ["5"]],
        ["x-line", ["a\r\nb"]],
        ["x-umlaut", ["ä"]],
        ["x-bin", ["not base64!"]],
      ];
      for (const entry of bad) {
        const status = await statusOf(
          send(channel, ECHO, undefined, { metadata: new Map([entry]) }),
        );
        assert.equal(status.code, GrpcCode.INTERNAL);
        assert.match(status.message, /metadata/, `${entry[0]}: ${status.message}`);
      }
      const twice = new Map([["authorization", ["a", "b"]]]);
      await send(channel, ECHO, undefined, { metadata: twice }).catch(() => undefined);
      await send(channel, ECHO);
      assert.equal(calls[0]?.peer, calls.at(-1)?.peer, "the same connection serves both");
    });

    test("answers a method it does not have with UNIMPLEMENTED", async (t) => {
      const { address, calls } = await startServer(t, implementation);
      const channel = openChannel(t, implementation, address);
      for (const path of ["/conformance.Test/None", "/no.Service/Echo", "/", `${ECHO}/`]) {
        const status = await statusOf(send(channel, path));
        assert.equal(status.code, GrpcCode.UNIMPLEMENTED, path);
        assert.ok(status.message.includes(path), status.message);
      }
      assert.equal(calls.length, 0);
    });

    failureCases(implementation);
  });
}

function failureCases(implementation: GrpcImplementation): void {
  test("answers with the status a handler throws, its message and its delay", async (t) => {
    let thrown = new GrpcStatusError({ code: 1, message: "" });
    const failing: UnaryHandler = async () => {
      throw thrown;
    };
    const { address, bugs } = await startServer(t, implementation, {}, { [FAILING]: failing });
    const channel = openChannel(t, implementation, address);
    for (let code = 1; code <= 16; code++) {
      thrown = new GrpcStatusError({ code, message: `code ${code}` });
      assert.deepEqual(await statusOf(send(channel, FAILING)), thrown.status);
    }
    for (const message of ["", "100 % größer\r\n\t~ 日本 😀", " a ", "a,b;c=d#e?f%41"]) {
      thrown = new GrpcStatusError({ code: 14, message, retryDelayMs: 1_500.25 });
      assert.deepEqual(await statusOf(send(channel, FAILING)), thrown.status);
    }
    thrown = new GrpcStatusError({ code: 14, message: "now", retryDelayMs: 0 });
    assert.deepEqual(await statusOf(send(channel, FAILING)), thrown.status);
    thrown = new GrpcStatusError({ code: 14, message: "half a \ud83d character" });
    assert.equal((await statusOf(send(channel, FAILING))).message, "half a \ufffd character");
    assert.deepEqual(bugs, []);
  });

  test("sends the longest status message whole and cuts a longer one", async (t) => {
    let message = "";
    const failing: UnaryHandler = async () => {
      throw new GrpcStatusError({ code: 14, message, retryDelayMs: 1 });
    };
    const { address } = await startServer(t, implementation, {}, { [FAILING]: failing });
    const channel = openChannel(t, implementation, address);
    for (const unit of ["x", "\u00e9", "%"]) {
      const longest = unit.repeat(STATUS_MESSAGE_BYTES_MAX / Buffer.byteLength(unit));
      for (message of [longest, `${longest}${unit}`, unit.repeat(1_000_000)]) {
        assert.equal((await statusOf(send(channel, FAILING))).message, longest);
      }
    }
  });

  test("answers anything else a handler does wrong with INTERNAL and reports it", async (t) => {
    const secret = new Error("password is hunter2");
    const wrong: readonly UnaryHandler[] = [
      () => Promise.reject(secret),
      () => {
        throw secret;
      },
      () => Promise.reject(new GrpcStatusError({ code: 0, message: "hunter2" })),
      () => Promise.reject(new GrpcStatusError({ code: 14, message: "", retryDelayMs: -1 })),
      async () => "hunter2" as unknown as Uint8Array,
      async () => undefined as unknown as Uint8Array,
      () => undefined as unknown as Promise<Uint8Array>,
    ];
    let index = 0;
    const failing = ((call) => wrong[index]?.(call)) as UnaryHandler;
    const handlers = { [FAILING]: failing };
    const { address, bugs } = await startServer(t, implementation, {}, handlers);
    const channel = openChannel(t, implementation, address);
    for (index = 0; index < wrong.length; index++) {
      const status = await statusOf(send(channel, FAILING));
      assert.equal(status.code, GrpcCode.INTERNAL, `handler ${index}`);
      assert.doesNotMatch(status.message, /hunter2/, "the inside of the server stays inside");
      assert.equal(bugs.length, index + 1);
      assert.equal(bugs[index]?.path, FAILING);
    }
    assert.equal(bugs[0]?.error, secret);
    assert.equal(bugs[1]?.error, secret);
  });

  test("takes a message that arrives byte by byte", async (t) => {
    const { address } = await startServer(t, implementation);
    const raw = new RawClient(t, address);
    const message = noise(100);
    const bytes = [...framed(message)].map((byte) => Uint8Array.of(byte));
    const reply = await raw.send({ path: ECHO, body: bytes });
    assert.equal(reply.grpcStatus, 0);
    assert.ok(reply.body.equals(framed(message)));
  });
}
