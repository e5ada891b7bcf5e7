import assert from "node:assert/strict";
import dns from "node:dns/promises";
import { once } from "node:events";
import { createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, connect as connectTcp, createServer } from "node:net";
import { describe, test } from "node:test";
import { GrpcCode } from "@inode-gateway/grpc";
import { waitUntil } from "@inode-gateway/testkit";
import {
  ECHO,
  freePort,
  noise,
  openChannel,
  portOf,
  send,
  soon,
  startServer,
  statusOf,
} from "./fixture.js";
import type { GrpcImplementation } from "./implementation.js";
import { RawClient } from "./raw-client.js";

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
