import assert from "node:assert/strict";
import { once } from "node:events";
import {
  type ClientHttp2Session,
  connect,
  createServer as createHttp2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from "node:net";
import { suite, type TestContext, test } from "node:test";
import { waitUntil } from "@inode-gateway/testkit";
import {
  type ConnectionFault,
  faultOf,
  Http2Guard,
  OVERHEAD_BYTES_BURST,
  QUIET_MS,
  RESETS_BURST,
  SUSPECT_ANSWER_MS,
  UNREAD_ANSWER_MS,
} from "./http2-guard.js";

interface Watched {
  readonly guard: Http2Guard;
  readonly client: ClientHttp2Session;
  readonly faults: ConnectionFault[];
  /** What the guard takes for the time and for the bytes read beyond the real ones. */
  readonly world: { nowMs: number; extraBytes: number };
  readonly streams: ServerHttp2Stream[];
  /** Of every connection, the client's first. */
  readonly guards: Http2Guard[];
  readonly port: number;
}

/** A real HTTP/2 connection with a guard, whose clock and counter of bytes the test moves. */
async function watch(t: TestContext, settings: { initialWindowSize?: number } = {}) {
  const world = { nowMs: 0, extraBytes: 0 };
  const faults: ConnectionFault[] = [];
  const streams: ServerHttp2Stream[] = [];
  const guards: Http2Guard[] = [];
  const http2 = createHttp2Server();
  // As listeners do: the session is announced while its connection is handed over.
  let arriving: Socket | undefined;
  const server = createServer((socket) => {
    arriving = counted(socket, world);
    http2.emit("connection", arriving);
  });
  const watched = new Promise<Http2Guard>((resolve) => {
    http2.on("session", (session: ServerHttp2Session) => {
      const guard = new Http2Guard(session, arriving ?? session.socket, {
        nowMs: () => world.nowMs,
        windowBytes: 65_535,
        onFault: (fault) => faults.push(fault),
      });
      session.on("error", () => undefined);
      http2.on("stream", (stream) => {
        stream.on("error", () => undefined);
        guard.requestBegan(stream, 100);
        stream.resume();
        streams.push(stream);
      });
      guards.push(guard);
      resolve(guard);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect(`http://127.0.0.1:${port}`, { settings });
  client.on("error", () => undefined);
  t.after(() => {
    client.destroy();
    server.close();
  });
  return { client, faults, guard: await watched, guards, port, streams, world } satisfies Watched;
}

function counted(socket: Socket, world: { extraBytes: number }): Socket {
  const real = () => Reflect.get(Object.getPrototypeOf(socket), "bytesRead", socket) as number;
  return Object.defineProperty(socket, "bytesRead", { get: () => real() + world.extraBytes });
}

suite("Http2Guard", () => {
  test("closes a connection at the first byte of overhead above the burst", async (t) => {
    const { client, faults, guard, world } = await watch(t);
    guard.check();
    // Settings and acknowledgements of the handshake may have been counted before.
    world.extraBytes += OVERHEAD_BYTES_BURST - 1_000;
    guard.check();
    assert.deepEqual(faults, []);
    world.extraBytes += 1_001;
    guard.check();
    assert.deepEqual(faults, ["too_many_frames"]);
    await waitUntil(() => client.destroyed);
  });

  test("takes the bytes of bodies and of requests cut off for no overhead", async (t) => {
    const { faults, guard, streams, client, world } = await watch(t);
    world.extraBytes += 64 * OVERHEAD_BYTES_BURST;
    guard.bodyReceived(64 * OVERHEAD_BYTES_BURST);
    guard.check();
    client.request({ ":method": "POST" });
    await waitUntil(() => streams.length === 1);
    for (let round = 0; round < 100; round++) {
      const [stream] = streams;
      if (stream !== undefined) guard.bodyCutOff(stream);
      world.extraBytes += 65_535;
      guard.check();
    }
    assert.deepEqual(faults, []);
  });

  test("closes a connection whose peer does not take its answer in time", async (t) => {
    const { client, faults, guard, streams, world } = await watch(t, { initialWindowSize: 0 });
    client.request({ ":method": "POST" }).end();
    await waitUntil(() => streams.length === 1);
    const [stream] = streams;
    assert.ok(stream);
    stream.respond({ ":status": 200 });
    stream.end("an answer that needs a window");
    guard.answered(stream);
    world.nowMs += UNREAD_ANSWER_MS;
    guard.check();
    assert.deepEqual(faults, []);
    world.nowMs += 1;
    guard.check();
    assert.deepEqual(faults, ["answer_not_read"]);
  });

  test("closes a connection at one reset more than the burst", async (t) => {
    const { client, faults } = await watch(t);
    const reset = async () => {
      const stream = client.request({ ":method": "POST" });
      stream.on("error", () => undefined);
      stream.close(8);
      await once(stream, "close");
    };
    for (let count = 0; count < RESETS_BURST; count++) await reset();
    assert.deepEqual(faults, []);
    await reset();
    await waitUntil(() => faults.length > 0);
    assert.deepEqual(faults, ["too_many_resets"]);
  });

  test("pings a suspect, and lets it go on when it answers", async (t) => {
    const { client, faults, guard, world } = await watch(t);
    let pings = 0;
    client.on("ping", () => pings++);
    world.extraBytes += 10_000;
    guard.check();
    await waitUntil(() => pings === 1);
    await new Promise((resolve) => client.ping(resolve));
    world.nowMs += SUSPECT_ANSWER_MS + 1;
    guard.check();
    assert.deepEqual(faults, []);
  });

  test("probes a connection that became quiet once, and keeps it when it lives", async (t) => {
    const { client, faults, guard, world } = await watch(t);
    let pings = 0;
    client.on("ping", () => pings++);
    await waitUntil(() => !client.connecting);
    const roundTrip = () => new Promise((resolve) => client.ping(resolve));
    await roundTrip();
    guard.check();
    world.nowMs += QUIET_MS - 1;
    guard.check();
    await roundTrip();
    assert.equal(pings, 0);

    guard.check();
    world.nowMs += QUIET_MS;
    guard.check();
    await waitUntil(() => pings === 1);
    // The answer comes without any other byte, and is counted at the next look.
    await waitUntil(() => {
      guard.check();
      world.nowMs += QUIET_MS + SUSPECT_ANSWER_MS + 1;
      return world.nowMs > 50 * QUIET_MS;
    });
    assert.deepEqual(faults, []);
    assert.ok(pings <= 2, `${pings} probes of a connection on which nothing is sent`);
  });

  const endsBrokenSessions = Number(process.versions.node.split(".", 1)[0]) >= 24;

  // Scenario: a frame above the allowed size; nghttp2 says GOAWAY and reads no more, not even the end.
  test("closes a connection that nghttp2 has ended on its own", async (t) => {
    const { faults, guards, port, world } = await watch(t);
    const peer = connectTcp(port, "127.0.0.1");
    t.after(() => peer.destroy());
    const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    const tooLarge = Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1]);
    peer.write(Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), settings]));
    await waitUntil(() => guards.length === 2);
    let received = Buffer.alloc(0);
    peer.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
    });
    peer.end(tooLarge);
    await waitUntil(() => received.includes(Buffer.from([0, 0, 0, 0, 0, 6])), {
      description: "GOAWAY with FRAME_SIZE_ERROR",
    });
    const guard = guards[1];
    guard?.check();
    world.nowMs += QUIET_MS;
    guard?.check();
    world.nowMs += SUSPECT_ANSWER_MS;
    guard?.check();
    assert.deepEqual(faults, []);
    world.nowMs += 1;
    guard?.check();
    await waitUntil(() => peer.closed);
    // Node 24 ends the connection itself, before anybody has to look.
    assert.deepEqual(faults, endsBrokenSessions ? [] : ["protocol_error"]);
  });

  test("tells floods from mistakes, and both from a peer that is gone", () => {
    const failed = (code: string, message: string) => Object.assign(new Error(message), { code });
    const many = failed("ERR_HTTP2_TOO_MANY_INVALID_FRAMES", "Too many invalid HTTP/2 frames");
    assert.equal(faultOf(many), "flood");
    assert.equal(faultOf(failed("ERR_HTTP2_ERROR", "Flooding was detected in this")), "flood");
    assert.equal(faultOf(failed("ERR_HTTP2_ERROR", "Protocol error")), "protocol_error");
    assert.equal(faultOf(failed("ECONNRESET", "read ECONNRESET")), undefined);
  });
});
