import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createUnaryChannel, createUnaryServer, type UnaryChannel } from "../index.js";

const path = "/test.Echo/Echo";
const partBytes = 40_000;

async function startEcho(context: TestContext, compression: "gzip" | "none") {
  const server = createUnaryServer(
    {
      endpoint: "127.0.0.1:0",
      transport: "tcp",
      maxReceiveMessageBytes: 1_048_576,
      onHandlerBug: (error) => assert.fail(String(error)),
    },
    new Map([[path, (call) => Promise.resolve(call.message)]]),
  );
  await server.listen();
  const channel = createUnaryChannel({ endpoint: server.address ?? "", compression });
  context.after(async () => {
    await channel.close(performance.now() + 1_000);
    await server.shutdown(performance.now() + 1_000);
  });
  return channel;
}

async function echoes(channel: UnaryChannel, value: number): Promise<void> {
  const part = new Uint8Array(partBytes).fill(value);
  const deadlineMs = performance.now() + 10_000;
  const answer = await channel.call(path, [part, part], { deadlineMs });
  assert.equal(answer.byteLength, 2 * partBytes);
  assert.ok(answer.every((byte) => byte === value));
}

// Scenario: messages are joined in memory that is used again; every third call ends before its
// message can have been sent, and gives its memory back while grpc-js still works on it.
for (const compression of ["none", "gzip"] as const) {
  test(`calls side by side never see each other's bytes, compression ${compression}`, async (t) => {
    const channel = await startEcho(t, compression);
    const part = new Uint8Array(partBytes).fill(255);
    for (let round = 0; round < 20; round++) {
      const calls: Promise<void>[] = [];
      for (let index = 0; index < 9; index++) {
        calls.push(echoes(channel, round * 9 + index));
        if (index % 3 > 0) continue;
        const late = channel.call(path, [part, part], { deadlineMs: performance.now() + 0.5 });
        calls.push(
          late.then(
            () => undefined,
            () => undefined,
          ),
        );
      }
      await Promise.all(calls);
    }
  });
}
