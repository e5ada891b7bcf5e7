import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import {
  GrpcStatusError,
  type Status,
  type UnaryCall,
  type UnaryCallOptions,
  type UnaryChannel,
  type UnaryChannelOptions,
  type UnaryHandler,
  type UnaryServer,
  type UnaryServerOptions,
} from "@inode-gateway/grpc";
import type { GrpcImplementation } from "./implementation.js";

/** Answers with the request message. */
export const ECHO = "/conformance.Test/Echo";

/** Never answers. */
export const SILENT = "/conformance.Test/Silent";

/** Long enough for a machine under load, short enough to end a test that hangs. */
const PATIENCE_MS = 20_000;

/** A server under test, with what its handlers and callbacks saw. */
export interface TestServer {
  readonly server: UnaryServer;
  readonly address: string;
  readonly calls: UnaryCall[];
  readonly bugs: { readonly error: unknown; readonly path: string }[];
  readonly connectionErrors: { readonly error: Error; readonly peer: string }[];
}

/** Starts a server with `Echo`, `Silent` and `handlers`; it is shut down when the test ends. */
export async function startServer(
  t: TestContext,
  implementation: GrpcImplementation,
  options: Partial<UnaryServerOptions> = {},
  handlers: Readonly<Record<string, UnaryHandler>> = {},
): Promise<TestServer> {
  const seen = { calls: [], bugs: [], connectionErrors: [] } as Pick<
    TestServer,
    "calls" | "bugs" | "connectionErrors"
  >;
  const all = { [ECHO]: echo, [SILENT]: () => new Promise<never>(() => {}), ...handlers };
  const recorded = Object.entries(all).map(([path, handler]): [string, UnaryHandler] => [
    path,
    (call) => {
      seen.calls.push(call);
      return handler(call);
    },
  ]);
  const server = implementation.createUnaryServer(
    {
      endpoint: "127.0.0.1:0",
      transport: "tcp",
      maxReceiveMessageBytes: 8_388_608,
      onHandlerBug: (error, path) => seen.bugs.push({ error, path }),
      onConnectionError: (error, peer) => seen.connectionErrors.push({ error, peer }),
      ...options,
    },
    new Map(recorded),
  );
  t.after(() => server.shutdown(performance.now()));
  await server.listen();
  return { server, address: server.address ?? assert.fail("no address"), ...seen };
}

/** Makes a channel that is closed when the test ends. */
export function openChannel(
  t: TestContext,
  implementation: GrpcImplementation,
  endpoint: string,
  options: Omit<UnaryChannelOptions, "endpoint"> = {},
): UnaryChannel {
  const channel = implementation.createUnaryChannel({ endpoint, ...options });
  t.after(() => channel.close(performance.now()));
  return channel;
}

/** Makes a directory that is removed when the test ends. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "grpc-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Sends one message in one chunk, with a deadline that only a hanging call reaches. */
export function send(
  channel: UnaryChannel,
  path: string,
  message: Uint8Array = new Uint8Array(),
  options: Partial<UnaryCallOptions> = {},
): Promise<Uint8Array> {
  return channel.call(path, [message], { deadlineMs: soon(), ...options });
}

/** The status a call ends with, which must not be OK. */
export async function statusOf(call: Promise<unknown>): Promise<Status> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof GrpcStatusError, String(error));
    return error.status;
  }
  return assert.fail("the call succeeded");
}

/** A deadline that only what hangs will reach. */
export function soon(): number {
  return performance.now() + PATIENCE_MS;
}

/** The port of `host:port`. */
export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}

/** A port nobody listens on: it was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Bytes that gzip cannot make smaller, the same for the same seed. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

async function echo(call: UnaryCall): Promise<Uint8Array> {
  return call.message;
}
