import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { describe, test } from "node:test";
import { GrpcCode } from "@inode-gateway/grpc";
import { waitUntil } from "@inode-gateway/testkit";
import {
  ECHO,
  freePort,
  noise,
  openChannel,
  portOf,
  SILENT,
  send,
  soon,
  startServer,
  statusOf,
} from "./fixture.js";
import type { GrpcImplementation } from "./implementation.js";
import { framed, RawClient } from "./raw-client.js";

const SLOW = "/conformance.Test/Slow";

/** A server's shutdown and a channel's close. */
export function closingCases(implementation: GrpcImplementation): void {
  describe(`${implementation.name}: closing`, () => {
    shutdownCases(implementation);
    closeCases(implementation);
  });
}

function shutdownCases(implementation: GrpcImplementation): void {
  test("waits for a running call, refuses new ones and frees the port", async (t) => {
    let finish = (): void => undefined;
    const slow = (): Promise<Uint8Array> =>
      new Promise((resolve) => {
        finish = () => resolve(noise(3));
      });
    const { server, address, calls } = await startServer(t, implementation, {}, { [SLOW]: slow });
    const channel = openChannel(t, implementation, address);
    const running = send(channel, SLOW);
    await waitUntil(() => calls.length === 1);
    let isDown = false;
    const down = server.shutdown(soon()).then(() => {
      isDown = true;
    });
    const late = await statusOf(send(channel, ECHO));
    assert.equal(late.code, GrpcCode.UNAVAILABLE);
    assert.equal(isDown, false);
    finish();
    assert.equal((await running).length, 3, "the running call is answered");
    await down;
    assert.equal(calls.length, 1);
    await startServer(t, implementation, { endpoint: address });
  });

  // Guarantees: what a handler was given is answered, so that a caller never repeats what was taken.
  test("answers every call that it took when it is shut down under load", async (t) => {
    for (let round = 0; round < 10; round++) {
      const { server, address, calls } = await startServer(t, implementation);
      const channel = openChannel(t, implementation, address);
      let answered = 0;
      const callers = Array.from({ length: 20 }, async () => {
        try {
          for (;;) {
            await send(channel, ECHO, noise(20_000));
            answered++;
          }
        } catch (error) {
          assert.equal((await statusOf(Promise.reject(error))).code, GrpcCode.UNAVAILABLE);
        }
      });
      await waitUntil(() => calls.length > 20 + 7 * round);
      await server.shutdown(soon());
      await Promise.all(callers);
      assert.equal(answered, calls.length, `round ${round}`);
    }
  });

  test("ends at the deadline what has not ended by itself", async (t) => {
    const { server, address, calls } = await startServer(t, implementation);
    const channel = openChannel(t, implementation, address);
    const status = statusOf(send(channel, SILENT));
    const half = new RawClient(t, address);
    const request = { path: ECHO, body: [framed(noise(9)).subarray(0, 7)], isEndless: true };
    const halfSent = half.send(request);
    const mute = connectTcp(portOf(address), "127.0.0.1");
    mute.on("error", () => undefined);
    mute.resume();
    await waitUntil(() => calls.length === 1);
    const startMs = performance.now();
    await server.shutdown(startMs + 100);
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs >= 98 && tookMs < 5_000, `took ${tookMs} ms`);
    assert.ok([GrpcCode.UNAVAILABLE, GrpcCode.CANCELLED].includes((await status).code as 14));
    assert.equal((await halfSent).grpcStatus, undefined);
    if (!mute.closed) await once(mute, "close");
  });

  // Scenario: the caller has given up; whoever shuts down must still know that no handler runs on.
  test("waits for a handler whose caller has gone", async (t) => {
    let finish = (): void => undefined;
    let isFinished = false;
    const slow = async (): Promise<Uint8Array> => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      isFinished = true;
      return new Uint8Array();
    };
    const { server, address, calls } = await startServer(t, implementation, {}, { [SLOW]: slow });
    const channel = openChannel(t, implementation, address);
    const abandoned = statusOf(send(channel, SLOW));
    await waitUntil(() => calls.length === 1);
    await channel.close(performance.now());
    assert.equal((await abandoned).code, GrpcCode.CANCELLED);
    const down = server.shutdown(soon());
    setImmediate(finish);
    await down;
    assert.equal(isFinished, true);
  });

  test("is shut down once, twice, unused, and does not listen again", async (t) => {
    const { server, address } = await startServer(t, implementation);
    await assert.rejects(server.listen(), "listening twice");
    await Promise.all([server.shutdown(soon()), server.shutdown(soon())]);
    await server.shutdown(0);
    await assert.rejects(server.listen());
    const options = {
      endpoint: address,
      transport: "tcp",
      maxReceiveMessageBytes: 1,
      onHandlerBug: () => undefined,
    } as const;
    const unused = implementation.createUnaryServer(options, new Map());
    assert.equal(unused.address, undefined);
    await unused.shutdown(soon());
    const stopped = implementation.createUnaryServer(options, new Map());
    await Promise.allSettled([stopped.listen(), stopped.shutdown(soon())]);
    await startServer(t, implementation, { endpoint: address });
  });

  test("ends idle connections without waiting for the deadline", async (t) => {
    const { server, address } = await startServer(t, implementation);
    await send(openChannel(t, implementation, address), ECHO);
    const raw = connectHttp2(`http://${address}`);
    raw.on("error", () => undefined);
    await once(raw, "remoteSettings");
    const startMs = performance.now();
    await server.shutdown(startMs + 20_000);
    assert.ok(performance.now() - startMs < 5_000);
  });
}

function closeCases(implementation: GrpcImplementation): void {
  test("lets running calls end, then closes and refuses", async (t) => {
    let finish = (): void => undefined;
    const slow = (): Promise<Uint8Array> =>
      new Promise((resolve) => {
        finish = () => resolve(noise(3));
      });
    const { address, calls } = await startServer(t, implementation, {}, { [SLOW]: slow });
    const channel = openChannel(t, implementation, address);
    const running = send(channel, SLOW);
    await waitUntil(() => calls.length === 1);
    const closed = channel.close(soon());
    const late = await statusOf(send(channel, ECHO));
    assert.equal(late.code, GrpcCode.UNAVAILABLE);
    assert.match(late.message, /closed/);
    finish();
    assert.equal((await running).length, 3);
    await closed;
    channel.connect();
    await channel.close(0);
  });

  test("cancels at the deadline what has not ended by itself", async (t) => {
    const { address, calls } = await startServer(t, implementation);
    const channel = openChannel(t, implementation, address);
    const sent = statusOf(send(channel, SILENT));
    const unsent = statusOf(
      send(openChannel(t, implementation, address), SILENT, undefined, { waitForReady: true }),
    );
    await waitUntil(() => calls.length === 2);
    const startMs = performance.now();
    await Promise.all([channel.close(startMs + 50), channel.close(startMs + 50)]);
    assert.ok(performance.now() - startMs < 5_000);
    assert.equal((await sent).code, GrpcCode.CANCELLED);
    const isUntouched = await Promise.race([unsent.then(() => false), Promise.resolve(true)]);
    assert.ok(isUntouched, "the calls of another channel go on");
  });

  test("closes a channel that was never used or has no one to talk to", async (t) => {
    const endpoint = `127.0.0.1:${await freePort()}`;
    await implementation.createUnaryChannel({ endpoint }).close(soon());
    const channel = openChannel(t, implementation, endpoint);
    const waiting = statusOf(send(channel, ECHO, undefined, { waitForReady: true }));
    await channel.close(performance.now() + 20);
    assert.equal((await waiting).code, GrpcCode.CANCELLED);
  });

  test("refuses an endpoint it cannot parse when it is made", () => {
    const make = () => implementation.createUnaryChannel({ endpoint: "nowhere://x" });
    assert.throws(make, /nowhere:\/\/x/);
  });
}
