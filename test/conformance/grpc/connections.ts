import assert from "node:assert/strict";
import dns from "node:dns/promises";
import { once } from "node:events";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, connect as connectTcp, createServer } from "node:net";
import { describe, test } from "node:test";
import { GrpcCode } from "@inode-gateway/grpc";
import { waitUntil } from "@inode-gateway/testkit";
import {
  ECHO,
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

/** How connections begin, are kept, balanced and ended. */
export function connectionCases(implementation: GrpcImplementation): void {
  describe(`${implementation.name}: connections`, () => {
    connectCases(implementation);
    settingsCases(implementation);
    keepaliveCases(implementation);
    balancingCases(implementation);
  });
}

/** A server's shutdown and a channel's close. */
export function closingCases(implementation: GrpcImplementation): void {
  describe(`${implementation.name}: closing`, () => {
    shutdownCases(implementation);
    closeCases(implementation);
  });
}

function connectCases(implementation: GrpcImplementation): void {
  test("connects when told to, before any call", async (t) => {
    const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    t.after(() => server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const connected = once(server, "connection");
    openChannel(t, implementation, `127.0.0.1:${port}`).connect();
    await connected;
  });

  test("fails a call at once where nobody listens, with the address and the reason", async (t) => {
    const port = await freePort();
    const channel = openChannel(t, implementation, `127.0.0.1:${port}`);
    const startMs = performance.now();
    const status = await statusOf(send(channel, ECHO));
    assert.equal(status.code, GrpcCode.UNAVAILABLE);
    assert.match(status.message, new RegExp(`ECONNREFUSED.*${port}`));
    assert.ok(performance.now() - startMs < 5_000);
  });

  test("waits for a connection until the deadline when told to", async (t) => {
    const port = await freePort();
    const endpoint = `127.0.0.1:${port}`;
    const channel = openChannel(t, implementation, endpoint);
    const short = { waitForReady: true, deadlineMs: performance.now() + 50 };
    const status = await statusOf(send(channel, ECHO, undefined, short));
    assert.equal(status.code, GrpcCode.DEADLINE_EXCEEDED);
    const waiting = send(channel, ECHO, noise(5), { waitForReady: true });
    await startServer(t, implementation, { endpoint });
    assert.equal((await waiting).length, 5);
  });

  test("connects again after the server has gone and come back", async (t) => {
    const first = await startServer(t, implementation);
    const channel = openChannel(t, implementation, first.address);
    await send(channel, ECHO);
    await first.server.shutdown(soon());
    assert.equal((await statusOf(send(channel, ECHO))).code, GrpcCode.UNAVAILABLE);
    await startServer(t, implementation, { endpoint: first.address });
    assert.equal((await send(channel, ECHO, noise(5), { waitForReady: true })).length, 5);
  });
}

function settingsCases(implementation: GrpcImplementation): void {
  test("offers windows that hold a whole request of 8 MiB, on stream and connection", async (t) => {
    const { address } = await startServer(t, implementation);
    const { session } = new RawClient(t, address);
    const needed = 8_388_608;
    await waitUntil(() => (session.remoteSettings.initialWindowSize ?? 0) >= needed);
    await waitUntil(() => (session.state.remoteWindowSize ?? 0) >= needed);
  });

  test("lets as many calls at a time in as configured, and the others wait", async (t) => {
    const running = { now: 0, most: 0 };
    const slow = async (): Promise<Uint8Array> => {
      running.most = Math.max(running.most, ++running.now);
      await new Promise((resolve) => setImmediate(resolve));
      running.now--;
      return new Uint8Array();
    };
    const options = { maxConcurrentStreams: 3 };
    const { address } = await startServer(t, implementation, options, { [SLOW]: slow });
    const { session } = new RawClient(t, address);
    await waitUntil(() => session.remoteSettings.maxConcurrentStreams === 3);
    const channel = openChannel(t, implementation, address);
    await Promise.all(Array.from({ length: 50 }, () => send(channel, SLOW)));
    assert.ok(running.most <= 3, `${running.most} at a time`);
  });

  test("bounds the calls of one connection when nothing is configured", async (t) => {
    const { address } = await startServer(t, implementation);
    const { session } = new RawClient(t, address);
    await waitUntil(() => session.remoteSettings.maxConcurrentStreams === 1_000);
  });
}

function keepaliveCases(implementation: GrpcImplementation): void {
  // Guarantees: a connection that reaches its age is replaced without a single call failing.
  test("moves calls to a new connection at the maximum age", async (t) => {
    const keepalive = { maxConnectionAgeMs: 150 };
    const { address, calls } = await startServer(t, implementation, { keepalive });
    const channel = openChannel(t, implementation, address);
    const endMs = performance.now() + 800;
    await Promise.all(
      [1, 2, 3, 4].map(async () => {
        while (performance.now() < endMs) await send(channel, ECHO, noise(1_000));
      }),
    );
    assert.ok(new Set(calls.map((call) => call.peer)).size >= 3);
  });

  test("ends a connection that is idle for too long or silent after a ping", async (t) => {
    const keepalive = { maxConnectionIdleMs: 100 };
    const idle = await startServer(t, implementation, { keepalive });
    const { session } = new RawClient(t, idle.address);
    await once(session, "close");

    const pinging = await startServer(t, implementation, {
      keepalive: { timeMs: 50, timeoutMs: 500 },
    });
    const alive = new RawClient(t, pinging.address).session;
    await once(alive, "ping");
    // The preface and empty settings, by hand: a peer that will never answer a ping.
    const silent = connectTcp(portOf(pinging.address), "127.0.0.1");
    silent.on("error", () => undefined);
    silent.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", "latin1");
    silent.resume();
    await once(silent, "close");
    assert.equal(alive.destroyed, false, "a peer that answers stays");
  });

  test("pings an idle server when the channel is told to", async (t) => {
    const server = createHttp2Server().listen(0, "127.0.0.1");
    t.after(() => server.close());
    const pinged = new Promise((resolve) => {
      server.on("session", (session) => {
        t.after(() => session.destroy());
        session.on("ping", resolve);
      });
    });
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const keepalive = { timeMs: 50, timeoutMs: 1_000, permitWithoutStream: true };
    openChannel(t, implementation, `127.0.0.1:${port}`, { keepalive }).connect();
    await pinged;
  });
}

function balancingCases(implementation: GrpcImplementation): void {
  // Scenario: a name with two addresses, which no resolver of a test machine has.
  for (const loadBalancing of ["round_robin", "pick_first"] as const) {
    test(`spreads calls over the addresses of a name with ${loadBalancing}`, async (t) => {
      const first = await startServer(t, implementation);
      const port = portOf(first.address);
      const second = await startServer(t, implementation, { endpoint: `127.0.0.2:${port}` });
      t.mock.method(dns, "lookup", async () => [
        { address: "127.0.0.1", family: 4 },
        { address: "127.0.0.2", family: 4 },
      ]);
      const channel = openChannel(t, implementation, `dns:///backends.test:${port}`, {
        loadBalancing,
      });
      const isSpread = async (): Promise<boolean> => {
        for (let index = 0; index < 10; index++) await send(channel, ECHO);
        return first.calls.length > 0 && second.calls.length > 0;
      };
      if (loadBalancing === "round_robin") await waitUntil(isSpread);
      else assert.equal(await isSpread(), false);
    });
  }
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

/** A port nobody listens on: it was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
